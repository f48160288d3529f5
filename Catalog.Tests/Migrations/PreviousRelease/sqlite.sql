-- The journal as release 0.1.0 left it, which executed the scripts by its own code.
CREATE TABLE schemaversions (
    schemaversionsid integer primary key autoincrement not null,
    scriptname       text not null,
    applied          datetime not null,
    checksum         text,
    duration_seconds real,
    applied_by       text,
    tool_version     text,
    constraint schemaversions_scriptname_key unique (scriptname)
);

CREATE TABLE schema_history (
    id               integer primary key autoincrement not null,
    scriptname       text not null,
    direction        text not null,
    outcome          text not null,
    at               text not null,
    duration_seconds real,
    applied_by       text,
    host             text,
    tool_version     text,
    message          text
);

insert into schemaversions (scriptname, applied, checksum, duration_seconds, applied_by, tool_version) values
    ('0001_initial.sql', '2026-11-26 14:07:09.306144', '5b11176e0ad15ff54ed81f5a0c208b3abeeec5effaa423e11a2b812c3f77a4c8', 0.036, 'deploy', '0.1.0'),
    ('0002_saas.sql', '2026-11-26 14:07:09.396622', 'aacec45d356bf58e8d8afa6be8b8df05fd1ff74da8632587116da77299f659cc', 0.012, 'deploy', '0.1.0'),
    ('0003_results_by_pipeline.sql', '2026-11-26 14:07:09.407945', '449b21384a8366ff5dffdf258038b870ab0d16c516b25815ec73e9ca558260d9', 0.0, 'deploy', '0.1.0'),
    ('0004_results_by_check.sql', '2026-11-26 14:07:09.410598', '10508b94deaf866c179c5f1039e2e0b253ece717f6170e63112f581a5f7282ac', 0.0, 'deploy', '0.1.0'),
    ('0005_pipelines_by_owner.sql', '2026-11-26 14:07:09.415765', 'eeeca7b19608f6451d1d3f9a4eb5b7907239931105600b2eaad4b29a64c75018', 0.0, 'deploy', '0.1.0'),
    ('0006_events_by_receipt.sql', '2026-11-26 14:07:09.423882', '809773b556e0f27f83ea94dc19a5155942fc622c71268947bf116ceb806c61c6', 0.0, 'deploy', '0.1.0'),
    ('0007_checks_by_pipeline.sql', '2026-11-26 14:07:09.427896', '5a16d97e4f0befda300a3ace89054d8c61ffc6295ab6149fe7719edc1a004113', 0.0, 'deploy', '0.1.0'),
    ('0008_lineage_downstream.sql', '2026-11-26 14:07:09.431962', '87bc5a91f16428fa0b6550aad5385fe4dfebe0355a8bc1f5a73c327e35d26f5a', 0.0, 'deploy', '0.1.0'),
    ('0009_lineage_upstream.sql', '2026-11-26 14:07:09.435762', 'f73a4c91e479b146b8ca64efb6562c0fc0bc3c6199d9dff483274289ff0b72f1', 0.0, 'deploy', '0.1.0'),
    ('0010_edges_of_pipelines.sql', '2026-11-26 14:07:09.439789', '29905389f6a7d6defa75117056ebf771b915411cc94b02b5590c42a22d90bb1d', 0.0, 'deploy', '0.1.0'),
    ('0011_edges_of_pipelines_replaced.sql', '2026-11-26 14:07:09.443951', '6044261069d25cbb93d50ce284f9d96ec6f75d27eea0faa266fefc854ce567b2', 0.0, 'deploy', '0.1.0');

insert into schema_history (scriptname, direction, outcome, at, duration_seconds, applied_by, host, tool_version) values
    ('0001_initial.sql', 'upgrade', 'finished', '2026-11-26T14:07:09.362490Z', 0.036, 'deploy', 'runner', '0.1.0'),
    ('0002_saas.sql', 'upgrade', 'finished', '2026-11-26T14:07:09.396859Z', 0.012, 'deploy', 'runner', '0.1.0'),
    ('0003_results_by_pipeline.sql', 'upgrade', 'finished', '2026-11-26T14:07:09.408064Z', 0.0, 'deploy', 'runner', '0.1.0'),
    ('0004_results_by_check.sql', 'upgrade', 'finished', '2026-11-26T14:07:09.410731Z', 0.0, 'deploy', 'runner', '0.1.0'),
    ('0005_pipelines_by_owner.sql', 'upgrade', 'finished', '2026-11-26T14:07:09.415863Z', 0.0, 'deploy', 'runner', '0.1.0'),
    ('0006_events_by_receipt.sql', 'upgrade', 'finished', '2026-11-26T14:07:09.423992Z', 0.0, 'deploy', 'runner', '0.1.0'),
    ('0007_checks_by_pipeline.sql', 'upgrade', 'finished', '2026-11-26T14:07:09.427994Z', 0.0, 'deploy', 'runner', '0.1.0'),
    ('0008_lineage_downstream.sql', 'upgrade', 'finished', '2026-11-26T14:07:09.432061Z', 0.0, 'deploy', 'runner', '0.1.0'),
    ('0009_lineage_upstream.sql', 'upgrade', 'finished', '2026-11-26T14:07:09.435875Z', 0.0, 'deploy', 'runner', '0.1.0'),
    ('0010_edges_of_pipelines.sql', 'upgrade', 'finished', '2026-11-26T14:07:09.439885Z', 0.0, 'deploy', 'runner', '0.1.0'),
    ('0011_edges_of_pipelines_replaced.sql', 'upgrade', 'finished', '2026-11-26T14:07:09.444035Z', 0.0, 'deploy', 'runner', '0.1.0');
