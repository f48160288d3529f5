drop table check_schedules;
