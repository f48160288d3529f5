drop table request_rates;
drop table stripe_events;
drop table audit_log;
drop table api_keys;
drop table organizations;
