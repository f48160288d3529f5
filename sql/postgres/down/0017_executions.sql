drop table execution_checks;
drop table executions;
