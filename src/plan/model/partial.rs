//! The plan on the users that the rows can concern equals the plan on everybody (semantics §14). The users are chosen
//! here by comparing texts, as [`UserSelection`] asks for them.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::world::{World, worlds};
use crate::domain::{SnapshotExtent, Status, User, UserKeys, ValuePattern, strip_leading_zeros};
use crate::plan::index::Key;
use crate::plan::scenario::{Scenario, groups};
use crate::plan::{DenseIndex, FinalUser, Plan, PlanRequest, RowIndex, UserSelection, plan};

/// Users that no row can concern. Some of their values become values of a row only through one of the changes below.
const OTHERS: &str = "
    aB8 far@x 80 z1 > a@x
    91 bb@x 007 z2
    92 other@y 92 z3 > far@x
    9aB ab@x 93 zoe
    9\u{2013}4 cd@x 9\u{2013}5 o\u{2019}zoe
    mcDonaldson far@z 94 z4
    McDonaldson near@z 95 z5
";

/// A change of a row: in which place, and what.
#[derive(Clone, Copy, Debug)]
enum RowChange {
    /// These characters before the value.
    Before(&'static str),
    /// These characters after the value.
    After(&'static str),
    /// Another value.
    Value(&'static str),
}

impl RowChange {
    fn apply(self, text: &str) -> String {
        match self {
            Self::Before(more) => format!("{more}{text}"),
            Self::After(more) => format!("{text}{more}"),
            Self::Value(value) => value.to_owned(),
        }
    }
}

/// The changes of a column: keys with artefacts, zeros and other cases; supervisors who are misspelled, or named by
/// another key.
fn change(place: usize) -> Vec<RowChange> {
    use RowChange::{After, Before, Value};
    let keys = [
        Before("'"),
        After(".0"),
        Before("0"),
        Before("00"),
        Value("-"),
    ];
    let more: &[RowChange] = match place {
        0 => &[
            Value("Ab8"),
            Value("9AB"),
            Value("'aB8"),
            Value("ab8"),
            Value("9-4"),
            Value("9\u{2014}4"),
            Value("mCdONALDSON"),
        ],
        1 => &[Before("!"), Value("BB@X"), After("y")],
        2 => &[
            Value("7"),
            Value("'07"),
            Value("1-Mar"),
            Value("92.0"),
            Value("9-5"),
            Value("9\u{2212}5"),
        ],
        3 => &[Value("ZOE"), Value("'zoe"), Value("O'Zoe")],
        _ => &[
            Before("b"),
            After("y"),
            Value("fra@x"),
            Value("@x"),
            Value("92"),
            Value("9ab"),
            Value("Z1"),
            Value("0"),
            Value("other@y"),
            Value("mailto:far@x"),
        ],
    };
    match place {
        0 | 2 | 3 => [&keys[..], more].concat(),
        _ => more.to_vec(),
    }
}

/// Changes some values of the rows. The words of a row are its four keys, then `>` and the supervisor.
fn changed(mut world: World, changes: &[(Index, usize, Index)]) -> World {
    world.directory += OTHERS;
    for (row, place, which) in changes {
        let row = row.get_mut(&mut world.rows);
        let mut words: Vec<String> = row.split(' ').map(str::to_owned).collect();
        let at = [0, 1, 2, 3, 5][*place];
        // A record that is no row has one or two words.
        if words.len() > 5 {
            let word = &mut words[at];
            *word = which.get(&change(*place)).apply(word);
        }
        *row = words.join(" ");
    }
    world
}

fn damaged_worlds() -> impl Strategy<Value = World> {
    // A change needs a directory to be about.
    let worlds = worlds().prop_filter("has users", |world| world.directory.contains("a@x"));
    let changes = vec((any::<Index>(), 0..5_usize, any::<Index>()), 0..6);
    (worlds, changes).prop_map(|(world, changes)| changed(world, &changes))
}

/// Returns the users who have one of `keys`.
fn having<'a>(users: &'a [User], keys: &UserKeys) -> Vec<&'a User> {
    let exactly = [
        &keys.external_ids,
        &keys.emails,
        &keys.badge_numbers,
        &keys.usernames,
    ];
    let bare = [
        (Key::ExternalId, &keys.bare_external_ids),
        (Key::BadgeNumber, &keys.bare_badge_numbers),
    ];
    let has = |user: &&User| {
        let form = |key: Key| key.comparable(key.of(user)).into_owned();
        Key::ALL
            .into_iter()
            .zip(exactly)
            .any(|(key, list)| list.contains(&form(key)))
            || bare.iter().any(|(key, list)| {
                list.iter()
                    .any(|text| text == strip_leading_zeros(key.of(user)))
            })
    };
    let mut found: Vec<&User> = users.iter().filter(has).collect();
    for small in &keys.small_external_ids {
        let id = |user: &&User| user.external_id().to_owned();
        let has_capitals =
            |user: &&User| id(user) != *small && id(user).to_ascii_lowercase() == *small;
        found.extend(users.iter().filter(has_capitals).min_by_key(id));
    }
    found
}

/// Returns the users who have one of `keys`, and everybody above them, in the order of `users`.
fn selected(users: &[User], keys: &UserKeys) -> Vec<User> {
    let mut chosen: Vec<&User> = having(users, keys);
    let mut at = 0;
    while let Some(user) = chosen.get(at) {
        let above = users.iter().find(|other| Some(other.id) == user.supervisor);
        if let Some(above) = above.filter(|above| chosen.iter().all(|known| known.id != above.id)) {
            chosen.push(above);
        }
        at += 1;
    }
    let is_chosen = |user: &&User| chosen.iter().any(|chosen| chosen.id == user.id);
    users.iter().filter(is_chosen).cloned().collect()
}

/// Returns the same request with only the users that the rows can concern.
fn partial(request: &PlanRequest) -> PlanRequest {
    let users = request.snapshot.users();
    let selection = UserSelection::new(request.rows.clone(), request.terms.matching.clone());
    let known = selected(users, &selection.first());
    let second = selection.second(known, &request.catalog);
    let mut further = selected(users, &second.keys);
    let active = || users.iter().filter(|user| user.status == Status::Active);
    let is_report = |user: &&User| {
        user.supervisor
            .is_some_and(|id| second.reports_of.contains(&id))
    };
    further.extend(active().filter(is_report).cloned());
    for &(role, most) in &second.role_users {
        // Any users of the role will do.
        let of_role = active().rev().filter(|user| user.role == role);
        further.extend(of_role.take(most as usize).cloned());
    }
    let is_in = |user: &&User| second.known.contains(user) || further.contains(user);
    let chosen: Vec<User> = users.iter().filter(is_in).cloned().collect();
    let extent = SnapshotExtent::Partial {
        active_users: second.going_inactive,
    };
    PlanRequest::new(
        request.rows.clone(),
        (chosen, extent),
        request.catalog.clone(),
        request.import_id,
        request.terms.clone(),
    )
}

/// Everything that a plan says about a row, and writes for it.
fn described(plan: &Plan, row: RowIndex) -> String {
    let decision = &plan.decisions[row];
    let users = plan.request.snapshot.users();
    let supervisor = decision.supervisor.map(|person| match person {
        FinalUser::User(user) => Ok(users[user].id),
        FinalUser::Row(row) => Err(row),
    });
    let values = |column| plan.change_values(row, column);
    let values: Vec<_> = decision.changes.iter().map(values).collect();
    let chosen = (decision.role, decision.rank, decision.group);
    let user = plan.request.user_of(row).map(|user| user.id);
    format!(
        "{:?} {user:?} {:?} {:?} {chosen:?} {supervisor:?} {values:?} {:?} {:?}",
        decision.outcome,
        plan.external_id(row),
        decision.changes,
        plan.order.before(row),
        plan.issues(row),
    )
}

/// A pattern that some values match, in half of the cases.
fn pattern() -> impl Strategy<Value = Option<ValuePattern>> {
    let patterns = [
        None,
        None,
        ValuePattern::parse("[0-9]{2}").ok(),
        ValuePattern::parse("[0-9]").ok(),
    ];
    select(patterns.to_vec())
}

fn without_missing(
    world: &World,
    patterns: (Option<ValuePattern>, Option<ValuePattern>),
) -> Scenario {
    let mut scenario = world.scenario();
    scenario.request.terms.scope = None;
    let catalog = &mut scenario.request.catalog;
    (catalog.external_id_pattern, catalog.badge_number_pattern) = patterns;
    scenario
}

/// The damaged badge number of the row failed its check and stands, since its user has it; it is compared with the badge
/// number of another user all the same.
#[test]
fn a_damaged_value_that_stands_is_compared_with_users_outside_the_file() {
    let users = "X1 a@x 421.0 ann\nX2 b@x 0421 bob";
    let scenario = Scenario::parse(users, "X1 a@x !421.0 ann");
    let (some, all) = (plan(partial(&scenario.request)), scenario.plan());
    let [some, all] = [some, all].map(|plan| described(&plan, RowIndex::new(0)));
    assert!(all.contains("X2"), "{all}");
    assert_eq!(some, all);
}

proptest! {
    #![proptest_config(super::laws::config())]

    #[test]
    fn the_plan_on_the_users_that_rows_can_concern_is_the_plan_on_everybody(
        world in damaged_worlds(),
        patterns in (pattern(), pattern()),
    ) {
        let scenario = without_missing(&world, patterns);
        let request = partial(&scenario.request);
        prop_assert!(!request.snapshot.is_complete());
        let (some, all) = (plan(request), scenario.plan());
        for row in all.decisions.indices() {
            prop_assert_eq!(described(&some, row), described(&all, row));
        }
        prop_assert_eq!(groups(&some), groups(&all));
        prop_assert_eq!(some.digest, all.digest);
        prop_assert_eq!(&some.consequences, &all.consequences);
        let counts = |plan: &Plan| (plan.going_inactive, plan.identity_changes, plan.matched_rows);
        prop_assert_eq!(counts(&some), counts(&all));
        // The guard knows enough active users.
        prop_assert!(all.going_inactive <= some.active_users);
        let active = scenario.request.snapshot.users().iter();
        let active = active.filter(|user| user.status == Status::Active);
        prop_assert_eq!(all.active_users as usize, active.count());
    }
}
