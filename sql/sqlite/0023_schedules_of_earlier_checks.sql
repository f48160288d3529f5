-- Checks with a connection that an earlier release stored get a tick. The service reads the schedule of a row with due_ms 0 from the
-- definition when it next looks for due ticks, and deletes the row when there is none: a script cannot read cron expressions.
insert into check_schedules (organization_id, pipeline_id, check_id, schedule, time_zone, due_ms)
select organization_id, pipeline_id, id, '', '', 0
from checks
where connection_id is not null
on conflict (organization_id, pipeline_id, check_id) do nothing;
