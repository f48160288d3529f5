-- The latest result of each check, and of each check within a run. They are written together with the results (CheckStates.cs).
-- The latest is the one with the greatest (executed_at, rank, result_id).

create table check_states (
    organization_id text    not null,
    pipeline_id     text    not null,
    check_id        text    not null,
    result_id       text    not null,
    run_id          text,
    status          text    not null,
    severity        text    not null,
    rank            integer not null, -- 0 pass, 1 warn, 2 error, 3 fail of severity warn, 4 fail of severity error
    dataset         text,
    observed_number real,
    executed_at     text    not null,
    constraint check_states_pkey primary key (organization_id, pipeline_id, check_id),
    constraint check_states_status_check check (status in ('pass', 'warn', 'fail', 'error')),
    constraint check_states_severity_check check (severity in ('error', 'warn'))
);

create table run_check_states (
    organization_id text    not null,
    run_id          text    not null,
    pipeline_id     text    not null, -- results that precede their run may name another pipeline than the run
    check_id        text    not null,
    result_id       text    not null,
    status          text    not null,
    severity        text    not null,
    rank            integer not null,
    executed_at     text    not null,
    constraint run_check_states_pkey primary key (organization_id, run_id, pipeline_id, check_id),
    constraint run_check_states_status_check check (status in ('pass', 'warn', 'fail', 'error')),
    constraint run_check_states_severity_check check (severity in ('error', 'warn'))
);

-- The states of checks that have results. The states of runs need no rows from here: before a gate is lifted, the run's results are read.
insert into check_states (organization_id, pipeline_id, check_id, result_id, run_id, status, severity, rank, dataset, observed_number, executed_at)
select results.organization_id, results.pipeline_id, results.check_id, results.id, results.run_id, results.status, results.severity,
       case when results.status = 'fail' and results.severity = 'error' then 4 when results.status = 'fail' then 3
            when results.status = 'error' then 2 when results.status = 'warn' then 1 else 0 end,
       results.dataset, results.observed_number, results.executed_at
from (select distinct organization_id, pipeline_id, check_id from check_results) as checked
join check_results as results on results.organization_id = checked.organization_id and results.id = (
    select id
    from check_results
    where organization_id = checked.organization_id and pipeline_id = checked.pipeline_id and check_id = checked.check_id
    order by executed_at desc,
             case when status = 'fail' and severity = 'error' then 4 when status = 'fail' then 3 when status = 'error' then 2
                  when status = 'warn' then 1 else 0 end desc,
             id desc
    limit 1);

create index check_states_status_idx on check_states (organization_id, status, pipeline_id, check_id);
