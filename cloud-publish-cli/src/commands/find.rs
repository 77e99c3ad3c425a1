//! `publish find`: looks up images in the catalogue; asks no cloud.

use cloud_publish_core::catalogue::{self, Row};

use crate::args::FindArgs;
use crate::exit::Exit;
use crate::halt::{Halt, Stage};
use crate::output::{Table, Word};
use crate::session::App;
use crate::state;

pub(super) async fn run(app: &App, args: &FindArgs) -> Result<Exit, Halt> {
    let config = app.config()?;
    let state = state::open(&config.state).map_err(Halt::at(Stage::Config))?;
    let catalogue = catalogue::read(state.as_ref()).await.map_err(Halt::at(Stage::Input))?;
    let found: Vec<&Row> = catalogue.rows.iter().filter(|row| is_meant(args, row)).collect();
    if found.is_empty() {
        app.console.say("nothing found\n");
        return Ok(Exit::Incomplete);
    }
    if app.console.is_json() {
        found.iter().for_each(|row| app.console.json(row));
        return Ok(Exit::Done);
    }
    let mut table = Table::new(["RELEASE", "VARIANT", "ARCH", "TARGET", "REGION", "STATE", "NAME", "ID"]);
    for row in found {
        table.row([
            (row.release.as_str(), Word::Plain),
            (row.variant.as_str(), Word::Plain),
            (row.arch.as_str(), Word::Plain),
            (row.target.as_str(), Word::Plain),
            (row.region.as_str(), Word::Plain),
            (row.state.as_str(), Word::Plain),
            (&row.name, Word::Plain),
            (row.id.as_str(), Word::Plain),
        ]);
    }
    app.console.data(&table.render());
    Ok(Exit::Done)
}

fn is_meant(args: &FindArgs, row: &Row) -> bool {
    fn allows<T: PartialEq>(wanted: &[T], value: &T) -> bool {
        wanted.is_empty() || wanted.contains(value)
    }
    allows(&args.release, &row.release)
        && allows(&args.suite, &row.suite)
        && allows(&args.provider, &row.provider)
        && allows(&args.target, &row.target)
        && allows(&args.region, &row.region)
        && allows(&args.variant, &row.variant)
        && allows(&args.arch, &row.arch)
        && args.state.iter().any(|state| state.means(row.state))
}
