drop table run_check_states;
drop table check_states;
