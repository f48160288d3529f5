-- The latest result of each check, and of each check within a run. They are written together with the results (CheckStates.cs).
-- The latest is the one with the greatest (executed_at, rank, result_id).

create table check_states (
    organization_id text             not null collate "C",
    pipeline_id     text             not null collate "C",
    check_id        text             not null collate "C",
    result_id       text             not null collate "C",
    run_id          text             collate "C",
    status          text             not null collate "C",
    severity        text             not null collate "C",
    rank            bigint           not null,             -- 0 pass, 1 warn, 2 error, 3 fail of severity warn, 4 fail of severity error
    dataset         text             collate "C",
    observed_number double precision,
    executed_at     timestamptz      not null,
    constraint check_states_pkey primary key (organization_id, pipeline_id, check_id),
    constraint check_states_status_check check (status in ('pass', 'warn', 'fail', 'error')),
    constraint check_states_severity_check check (severity in ('error', 'warn'))
);

create table run_check_states (
    organization_id text             not null collate "C",
    run_id          text             not null collate "C",
    pipeline_id     text             not null collate "C", -- results that precede their run may name another pipeline than the run
    check_id        text             not null collate "C",
    result_id       text             not null collate "C",
    status          text             not null collate "C",
    severity        text             not null collate "C",
    rank            bigint           not null,
    executed_at     timestamptz      not null,
    constraint run_check_states_pkey primary key (organization_id, run_id, pipeline_id, check_id),
    constraint run_check_states_status_check check (status in ('pass', 'warn', 'fail', 'error')),
    constraint run_check_states_severity_check check (severity in ('error', 'warn'))
);

-- The states of checks that have results. Steps by index from one check to the next and reads one result of each, so that the time
-- depends on the number of checks. The states of runs need no rows from here: before a gate is lifted, the run's results are read.
with recursive checked (organization_id, pipeline_id, check_id) as (
    (select organization_id, pipeline_id, check_id
     from check_results
     order by organization_id, pipeline_id, check_id
     limit 1)
    union all
    select later.organization_id, later.pipeline_id, later.check_id
    from checked
    cross join lateral (
        select organization_id, pipeline_id, check_id
        from check_results
        where (organization_id, pipeline_id, check_id) > (checked.organization_id, checked.pipeline_id, checked.check_id)
        order by organization_id, pipeline_id, check_id
        limit 1) as later
)
insert into check_states (organization_id, pipeline_id, check_id, result_id, run_id, status, severity, rank, dataset, observed_number, executed_at)
select latest.organization_id, latest.pipeline_id, latest.check_id, latest.id, latest.run_id, latest.status, latest.severity, latest.rank,
       latest.dataset, latest.observed_number, latest.executed_at
from checked
cross join lateral (
    select organization_id, pipeline_id, check_id, id, run_id, status, severity, dataset, observed_number, executed_at,
           case when status = 'fail' and severity = 'error' then 4 when status = 'fail' then 3 when status = 'error' then 2
                when status = 'warn' then 1 else 0 end as rank
    from check_results
    where organization_id = checked.organization_id and pipeline_id = checked.pipeline_id and check_id = checked.check_id
    order by executed_at desc, rank desc, id desc
    limit 1) as latest;

create index check_states_status_idx on check_states (organization_id, status, pipeline_id, check_id);

alter table check_states enable row level security;
alter table run_check_states enable row level security;

create policy organization on check_states using (organization_id = nullif(current_setting('app.organization_id', true), ''));
create policy organization on run_check_states using (organization_id = nullif(current_setting('app.organization_id', true), ''));
