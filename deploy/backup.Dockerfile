# The console with PostgreSQL's client programs, for backups, restores and drills. The service's own image has neither pg_dump nor a
# package manager to bring it; its programs are taken from there, so that a tag names one build. Build that one first:
#   docker build --file deploy/Dockerfile --tag catalog:local . && docker build --file deploy/backup.Dockerfile --tag catalog-backup:local .
ARG CATALOG=catalog:local
FROM ${CATALOG} AS catalog

FROM mcr.microsoft.com/dotnet/aspnet:10.0-noble
# pg_dump must not be older than the server; Ubuntu 24.04 has version 16.
RUN apt-get update && apt-get install --yes --no-install-recommends postgresql-client && rm -rf /var/lib/apt/lists/*
COPY --from=catalog /app /app
ENV DOTNET_EnableDiagnostics=0
USER 1654:1654
ENTRYPOINT ["dotnet", "/app/migrations/Catalog.Migrations.dll"]
