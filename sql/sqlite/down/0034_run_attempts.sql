alter table run_events drop column report;
alter table runs drop column attempt;
drop table run_attempts;
