#!/bin/bash
# Creates the roles of the Catalog. The Postgres image runs this script when its volume is new; on an older volume run
# it by hand (deploy/README.md). It can be run several times.
#   catalog_owner    owns the database and its tables; the migrator's login
#   catalog_app      the role that runs the service's statements; row-level security applies to it
#   catalog_service  the service's login; owns no tables
set -euo pipefail

# The passwords are in the environment, because other users can read the arguments of a process.
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" <<'SQL'
\getenv owner_password CATALOG_OWNER_PASSWORD
\getenv service_password CATALOG_SERVICE_PASSWORD
\getenv database POSTGRES_DB
select format('create role %I', name)
from unnest(array['catalog_owner', 'catalog_app', 'catalog_service']) as name
where not exists (select from pg_roles where rolname = name)
\gexec
alter role catalog_owner login nosuperuser nobypassrls password :'owner_password';
alter role catalog_service login nosuperuser nobypassrls password :'service_password';
alter role catalog_app nologin noinherit nosuperuser nobypassrls;
grant catalog_app to catalog_service, catalog_owner;
alter database :"database" owner to catalog_owner;
-- On an older volume another role owns the tables.
select format('alter table %I.%I owner to catalog_owner', schemaname, tablename)
from pg_tables
where schemaname = 'public' and tableowner <> 'catalog_owner'
\gexec
SQL
