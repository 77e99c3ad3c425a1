//! `publish schema`: what may be written where, for editors.

use cloud_publish_core::error::{Error, Kind};
use cloud_publish_core::manifest::schema;

use crate::args::{SchemaArgs, SchemaOf};
use crate::exit::Exit;
use crate::fleet;
use crate::halt::{Halt, Stage};
use crate::session::App;

pub(super) fn run(app: &App, args: &SchemaArgs) -> Result<Exit, Halt> {
    let schema = match args.of {
        SchemaOf::Release => schema::release(),
        SchemaOf::Config => schema::config(&fleet::schemas()),
    };
    if app.console.is_json() {
        app.console.json(&schema);
        return Ok(Exit::Done);
    }
    let text = serde_json::to_string_pretty(&schema).map_err(|error| Halt {
        stage: Stage::Arguments,
        error: Error::new(Kind::Unexpected, "could not print the schema").caused_by(error),
    })?;
    app.console.data(&format!("{text}\n"));
    Ok(Exit::Done)
}
