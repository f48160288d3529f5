# The migrations console with the client programs of PostgreSQL, for backups, restores and drills. The image of the
# service has no pg_dump and no package manager. This image copies its programs, so both images of a tag are the same
# build. Build that image first:
#   docker build --file deploy/Dockerfile --tag catalog:local . && docker build --file deploy/backup.Dockerfile --tag catalog-backup:local .
ARG CATALOG=catalog:local
FROM ${CATALOG} AS catalog

FROM mcr.microsoft.com/dotnet/aspnet:10.0-noble
# pg_dump must not be older than the server: version 17 backs up servers from 15 to 17. CLIENT=postgresql-client installs
# the version of the base image instead, without the repository of the PostgreSQL project.
ARG CLIENT=postgresql-client-17
RUN apt-get update \
    && if [ "$CLIENT" != postgresql-client ]; then \
        apt-get install --yes --no-install-recommends ca-certificates postgresql-common \
        && /usr/share/postgresql-common/pgdg/apt.postgresql.org.sh -y; \
    fi \
    && apt-get install --yes --no-install-recommends "$CLIENT" \
    && rm -rf /var/lib/apt/lists/*
COPY --from=catalog /app /app
ENV DOTNET_EnableDiagnostics=0
USER 1654:1654
ENTRYPOINT ["dotnet", "/app/migrations/Catalog.Migrations.dll"]
