delete from check_schedules where due_ms = 0;
