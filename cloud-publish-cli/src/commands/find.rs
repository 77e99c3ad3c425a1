//! `publish find`: looks up images in the catalogue; asks no cloud.

use std::collections::BTreeMap;

use cloud_publish_core::catalogue::{self, Row};
use cloud_publish_core::error::{Error, Kind};
use cloud_publish_core::plan::ImageRef;

use crate::args::FindArgs;
use crate::exit::Exit;
use crate::halt::{Halt, Stage};
use crate::output::{Table, Word, csv_of};
use crate::session::App;
use crate::state;

pub(super) async fn run(app: &App, args: &FindArgs) -> Result<Exit, Halt> {
    let config = app.config()?;
    let state = state::open(&config.state).map_err(Halt::at(Stage::Config))?;
    let catalogue = catalogue::read(state.as_ref()).await.map_err(Halt::at(Stage::Input))?;
    let mut found: Vec<&Row> = catalogue.rows.iter().filter(|row| is_meant(args, row)).collect();
    if args.latest {
        found = newest(&found);
    }
    if args.csv {
        app.console.data(&csv_of(&found).map_err(|error| Halt {
            stage: Stage::Run,
            error: Error::new(Kind::Unexpected, "could not print CSV").caused_by(error),
        })?);
    } else if app.console.is_json() {
        found.iter().for_each(|row| app.console.json(row));
    } else if !found.is_empty() {
        app.console.data(&table(&found).render(app.settings.columns));
    }
    if found.is_empty() {
        app.console.say("nothing found\n");
        return Ok(Exit::Incomplete);
    }
    Ok(Exit::Done)
}

fn is_meant(args: &FindArgs, row: &Row) -> bool {
    fn allows<T: PartialEq>(wanted: &[T], value: &T) -> bool {
        wanted.is_empty() || wanted.contains(value)
    }
    let is_named = allows(&args.release, &row.release)
        && allows(&args.suite, &row.suite)
        && allows(&args.version, &row.version)
        && allows(&args.class, &row.class)
        && allows(&args.variant, &row.variant)
        && allows(&args.arch, &row.arch)
        && allows(&args.id, &row.id);
    let is_there =
        allows(&args.provider, &row.provider) && allows(&args.target, &row.target) && allows(&args.region, &row.region);
    let has_content = args.digest.is_empty() || args.digest.iter().any(|digest| digest.begins(&row.digest));
    is_named && is_there && has_content && args.state.iter().any(|state| state.means(row.state))
}

/// The rows of the newest release of each line.
fn newest<'a>(rows: &[&'a Row]) -> Vec<&'a Row> {
    let mut ages = BTreeMap::new();
    for row in rows {
        let oldest = ages.entry(line(row)).or_insert_with(|| age(row));
        *oldest = age(row).max(*oldest);
    }
    rows.iter().filter(|row| ages.get(&line(row)) == Some(&age(row))).copied().collect()
}

/// What a release supersedes another one in.
fn line(row: &Row) -> impl Ord + '_ {
    ((&row.owner, &row.provider, &row.account, &row.region), (&row.suite, &row.class, &row.variant, &row.arch))
}

/// Which release is the newer one: by its own date, then by its name.
fn age<'a>(row: &'a Row) -> impl Ord + Copy + use<'a> {
    (row.date.or(row.published_at), &row.release)
}

fn table(rows: &[&Row]) -> Table {
    let headings = ["RELEASE", "DATE", "IMAGE", "TARGET", "REGION", "STATE", "NAME", "ID"];
    let mut table = Table::new(headings).expendable(["NAME", "DATE", "STATE"]);
    for row in rows {
        let date = row.date.or(row.published_at).map(|date| date.strftime("%F").to_string()).unwrap_or_default();
        let (variant, arch) = (row.variant.clone(), row.arch.clone());
        let image = ImageRef { variant, arch, rendition: row.rendition.clone() };
        table.row([
            (row.release.as_str(), Word::Plain),
            (&date, Word::Plain),
            (&image.to_string(), Word::Plain),
            (row.target.as_str(), Word::Plain),
            (row.region.as_str(), Word::Plain),
            (row.state.as_str(), Word::Plain),
            (&row.name, Word::Plain),
            (row.id.as_str(), Word::Plain),
        ]);
    }
    table
}
