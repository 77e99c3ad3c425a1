//! The checks, and the table that says which apply where.

mod guard;
mod life;
mod look;
mod make;
mod pointer;
mod remove;
mod replicate;
mod show;
mod stop;
mod tag;

use std::fmt::{self, Debug, Formatter};

use futures::future::BoxFuture;

use crate::conformance::{Failure, Fixture};
use crate::publisher::{Publisher, Replication, TargetInfo, VisibilityKind};

/// Runs a check.
pub type Run = for<'a> fn(&'a dyn Publisher, &'a Fixture) -> BoxFuture<'a, Result<(), Failure>>;

/// One check.
pub struct Check {
    /// A sentence about behaviour, by which shortfalls name it.
    pub name: &'static str,
    /// Whether the target, or the fixture, has what it is about.
    pub applies: fn(&TargetInfo, &Fixture) -> bool,
    /// What that is.
    pub needs: &'static str,
    /// Runs it.
    pub run: Run,
}

impl Debug for Check {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("name", &self.name).finish_non_exhaustive()
    }
}

macro_rules! table {
    ($($module:ident :: $name:ident $(if $needs:literal = $applies:expr)?),+ $(,)?) => {
        &[$(Check {
            name: stringify!($name),
            applies: table!(@applies $($applies)?),
            needs: table!(@needs $($needs)?),
            run: |publisher, fixture| Box::pin($module::$name(publisher, fixture)),
        }),+]
    };
    (@applies) => { |_, _| true };
    (@applies $applies:expr) => { $applies };
    (@needs) => { "nothing" };
    (@needs $needs:literal) => { $needs };
}

/// Every check, in the order in which they are run.
pub fn checks() -> &'static [Check] {
    table![
        look::info_is_stable,
        look::expect_is_pure,
        look::preflight_of_a_good_place_finds_no_error_and_writes_nothing,
        look::the_survey_shows_what_was_expected,
        look::the_survey_leaves_other_owners_out,
        look::usage_answers_for_every_image,
        look::prove_shows_the_content,
        make::uploading_twice_keeps_one_copy,
        make::another_machine_adopts_an_upload,
        make::registering_twice_makes_one_image,
        make::another_machine_adopts_an_image,
        make::tags_are_complete_from_the_start,
        make::an_image_is_private_until_it_is_shown,
        make::other_content_under_the_key_is_a_conflict,
        replicate::replicating_twice_makes_one_image_per_region,
        replicate::replicating_to_fewer_regions_removes_nothing
            if "more than one region" = |info, _| info.regions.len() > 1,
        replicate::replicas_are_private_until_they_are_shown
            if "replicas that others cannot see" = |info, _| !info.capability.replicas_are_visible,
        replicate::replicating_only_finds_what_is_there
            if "several independent regions" = |info, _| {
                info.capability.replication == Replication::Independent && info.regions.len() > 1
            },
        show::visibility_is_exact
            if "a visibility other than private" = |info, fixture| !fixture.visibilities(info).is_empty(),
        show::visibility_can_be_taken_back
            if "a visibility other than private" = |info, fixture| !fixture.visibilities(info).is_empty(),
        show::an_unknown_visibility_is_refused
            if "a visibility that is not supported" = |info, _| {
                [VisibilityKind::Community, VisibilityKind::Public, VisibilityKind::Shared]
                    .iter()
                    .any(|kind| !info.capability.visibilities.contains(kind))
            },
        tag::tagging_is_exact,
        tag::tagging_without_extra_tags_leaves_them,
        tag::marks_round_trip,
        tag::the_mark_makes_it_published,
        pointer::a_pointer_moves_and_repeats if "pointers" = |info, _| info.capability.pointers,
        pointer::pointing_is_refused_where_there_are_no_pointers
            if "a target without pointers" = |info, _| !info.capability.pointers,
        pointer::a_listing_ends_listed
            if "a marketplace listing" = |info, fixture| info.capability.marketplace && fixture.listing().is_some(),
        pointer::listing_is_refused_where_there_is_no_marketplace
            if "a target without marketplace" = |info, _| !info.capability.marketplace,
        life::hiding_is_repeatable_and_changes_no_visibility,
        life::restoring_undoes_hiding,
        life::retiring_is_repeatable_and_leaves_its_mark,
        life::restoring_undoes_retiring,
        remove::deleting_is_repeatable,
        remove::a_deleted_image_can_be_made_again,
        remove::discarding_removes_a_leftover_and_repeats
            if "bytes staged apart from the image" = |info, _| info.capability.stages_apart,
        remove::discarding_what_became_an_image_harms_nothing
            if "bytes staged apart from the image" = |info, _| info.capability.stages_apart,
        guard::other_tags_under_the_id_are_refused,
        guard::an_image_that_is_gone_is_not_found,
        guard::two_images_of_one_key_are_a_conflict
            if "a fixture that plants twins" = |_, fixture| fixture.twins().is_some(),
        guard::a_name_held_by_another_is_taken
            if "a fixture that plants squatters" = |_, fixture| fixture.squatters().is_some(),
        stop::a_cancelled_verb_stops_and_works_later,
        stop::a_verb_cancelled_half_way_leaves_nothing_twice,
        stop::two_publishers_at_once_make_one_image,
    ]
}
