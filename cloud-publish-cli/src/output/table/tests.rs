//! What a table looks like in the room that it has.

use super::{Table, Word};

const UUID: &str = "4cd459fb-7ecf-58b6-8188-963c61aad35a";

fn plain(table: &Table, columns: Option<usize>) -> String {
    anstream::adapter::strip_str(&table.render(columns)).to_string()
}

fn images(rows: &[[&str; 6]]) -> Table {
    let mut table = Table::new(["TARGET", "REGION", "VARIANT", "ARCH", "STATE", "ID"]).expendable(["STATE"]);
    for row in rows {
        table.row(row.map(|text| (text, Word::Plain)));
    }
    table
}

fn two_targets() -> Table {
    images(&[
        ["aws", "us-east-1", "genericcloud", "amd64", "published", "ami-0123456789abcdef0"],
        ["openstack", "RegionOne", "genericcloud", "amd64", "published", UUID],
        ["openstack", "RegionTwo", "genericcloud", "amd64", "missing", ""],
    ])
}

#[test]
fn columns_are_aligned_whatever_their_colours() {
    let mut table = Table::new(["TARGET", "STATE"]);
    table.row([("a-long-name", Word::Good), ("published", Word::Bad)]);
    table.note("why");
    table.row([("", Word::Plain), ("x\n\u{1b}", Word::Plain)]);
    assert_eq!(plain(&table, None), "TARGET       STATE\na-long-name  published\n    why\n-            x \\u{1b}\n");
}

#[test]
fn a_table_gives_way_step_by_step_and_never_breaks_an_id() {
    insta::assert_snapshot!(plain(&two_targets(), Some(90)), @r#"
    TARGET     REGION     VARIANT       ARCH   STATE      ID
    aws        us-east-1  genericcloud  amd64  published  ami-0123456789abcdef0
    openstack  RegionOne  genericcloud  amd64  published  4cd459fb-7ecf-58b6-8188-963c61aad35a
    openstack  RegionTwo  genericcloud  amd64  missing    -
    "#);
    insta::assert_snapshot!(plain(&two_targets(), Some(80)), @r#"
    REGION     VARIANT       ARCH   STATE      ID
    aws:
    us-east-1  genericcloud  amd64  published  ami-0123456789abcdef0
    openstack:
    RegionOne  genericcloud  amd64  published  4cd459fb-7ecf-58b6-8188-963c61aad35a
    RegionTwo  genericcloud  amd64  missing    -
    "#);
    insta::assert_snapshot!(plain(&two_targets(), Some(70)), @r#"
    everywhere: variant genericcloud, arch amd64
    REGION     STATE      ID
    aws:
    us-east-1  published  ami-0123456789abcdef0
    openstack:
    RegionOne  published  4cd459fb-7ecf-58b6-8188-963c61aad35a
    RegionTwo  missing    -
    "#);
    insta::assert_snapshot!(plain(&two_targets(), Some(50)), @r#"
    everywhere: variant genericcloud, arch amd64
    REGION     ID
    aws:
    us-east-1  ami-0123456789abcdef0
    openstack:
    RegionOne  4cd459fb-7ecf-58b6-8188-963c61aad35a
    RegionTwo  -
    "#);
    insta::assert_snapshot!(plain(&two_targets(), Some(40)), @r#"
    everywhere: variant genericcloud,
        arch amd64
    REGION     ID
    aws:
    us-east-1  ami-0123456789abcdef0
    openstack:
    RegionOne
        4cd459fb-7ecf-58b6-8188-963c61aad35a
    RegionTwo  -
    "#);
}

#[test]
fn a_path_has_its_own_line_and_makes_no_other_row_give_way() {
    let path = "bookworm/20240101-1614/debian-12-genericcloud-amd64-20240101-1614.qcow2";
    let rows =
        [["local", "local", "generic", "amd64", "published", path], ["x", "r", "generic", "amd64", "missing", "1"]];
    insta::assert_snapshot!(plain(&images(&rows), Some(80)), @r#"
    TARGET  REGION  VARIANT  ARCH   STATE      ID
    local   local   generic  amd64  published
        bookworm/20240101-1614/debian-12-genericcloud-amd64-20240101-1614.qcow2
    x       r       generic  amd64  missing    1
    "#);
}

#[test]
fn whatever_the_room_no_id_is_lost_or_broken_and_no_line_is_longer_than_it_must_be() {
    for columns in 1..200 {
        let text = plain(&two_targets(), Some(columns));
        assert_eq!(text.matches(UUID).count(), 1, "{columns}: {text}");
        let longest = text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
        assert!(longest <= columns.max(60), "{columns}: {text}");
    }
}

#[test]
fn sentences_are_broken_between_words_under_their_column() {
    let mut table = Table::new(["STEP", "REASON"]).prose();
    table.row([("upload", Word::Plain), ("the region does not have the image yet, and should have it", Word::Faint)]);
    table.note("a remark that is longer than the room that there is for it");
    insta::assert_snapshot!(plain(&table, Some(40)), @r#"
    STEP    REASON
    upload  the region does not have the
            image yet, and should have it
        a remark that is longer than the
        room that there is for it
    "#);
}

#[test]
fn a_table_can_be_in_groups_however_much_room_there_is() {
    insta::assert_snapshot!(plain(&two_targets().grouped(), None), @r#"
    REGION     VARIANT       ARCH   STATE      ID
    aws:
    us-east-1  genericcloud  amd64  published  ami-0123456789abcdef0
    openstack:
    RegionOne  genericcloud  amd64  published  4cd459fb-7ecf-58b6-8188-963c61aad35a
    RegionTwo  genericcloud  amd64  missing    -
    "#);
}
