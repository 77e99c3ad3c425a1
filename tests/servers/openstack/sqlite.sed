# A transaction that begins by reading and then writes fails at once ("database is locked") when another one writes
# meanwhile, and Glance answers 500. Beginning as a writer, it waits its turn. Only SQLite needs it.
s/sqlalchemy\.text("BEGIN")/sqlalchemy.text("BEGIN IMMEDIATE")/
