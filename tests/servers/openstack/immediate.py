"""Makes writers to SQLite wait for each other, as those to a server's database do. Imported into Keystone and Glance.

oslo.db begins every transaction by BEGIN, so that a transaction which reads first and then writes cannot wait: if another
has written meanwhile, SQLite refuses it at once with "database is locked", whatever the timeout, and Glance answers 500.
BEGIN IMMEDIATE takes the writer's turn at the beginning. https://www.sqlite.org/lang_transaction.html
"""

from sqlalchemy import event
from sqlalchemy.engine import Engine


@event.listens_for(Engine, "before_cursor_execute", retval=True)
def begin_immediately(_connection, _cursor, statement, parameters, _context, _many):
    return "BEGIN IMMEDIATE" if statement == "BEGIN" else statement, parameters
