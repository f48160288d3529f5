"""The part of DuckDB's command line that the walk of docs/checks.md uses: runs SQL from standard input in a file.

Uses the library of the built service, because Debian has no package of DuckDB.
"""
import ctypes
import glob
import sys

library = ctypes.CDLL(glob.glob("Catalog.Api/bin/*/net10.0/runtimes/linux-x64/native/libduckdb.so")[0])
database, connection = ctypes.c_void_p(), ctypes.c_void_p()
for status in (
    library.duckdb_open(sys.argv[1].encode(), ctypes.byref(database)),
    library.duckdb_connect(database, ctypes.byref(connection)),
    library.duckdb_query(connection, sys.stdin.read().encode(), None),
):
    if status:
        sys.exit("DuckDB refused the statements.")
library.duckdb_disconnect(ctypes.byref(connection))
library.duckdb_close(ctypes.byref(database))
