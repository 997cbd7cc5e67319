//! The plan of a few rows reads only the users that the rows can concern (semantics §14), and its results are the same
//! as if it had read all. `src/plan/model/partial.rs` compares these users with a choice made by comparing texts.

use std::sync::Arc;

use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
};
use prost::Message as _;
use user_import::{
    domain::{
        Catalog,
        Column::{
            self, BadgeNumber, Email, ExternalId, FirstName, LastName, Role as RoleColumn, Status,
            SupervisorEmail, Username,
        },
        Row, SnapshotExtent, User, UserKeys,
    },
    import::ResultFilter,
    plan::{ByRow, MatchBy, RowMatching, UserSelection},
    store::{FurtherUsers, SelectUsers, Snapshot, Store},
};

use user_import_testing::{
    App, Database, Roster, any_people, for_all, on_both_databases, planned_on, roster, roster_of,
    rows_of, sound_people,
};

on_both_databases![
    the_plan_on_the_users_that_rows_can_concern_is_the_plan_on_everybody,
    a_row_reads_its_user_and_those_above_and_nobody_else,
    a_user_who_leaves_brings_reports_and_one_more_of_the_role,
    an_organisation_that_is_too_small_is_read_as_a_whole,
];

/// Number of random directories that the property is checked on.
const CASES: u32 = 24;

/// Chooses the users of a partial snapshot if the organisation has at least this many users.
struct ChosenUsers(UserSelection, u64);

impl SelectUsers for ChosenUsers {
    fn least_users(&self) -> u64 {
        self.1
    }

    fn first(&self) -> UserKeys {
        self.0.first()
    }

    fn second(&self, known: Vec<User>, catalog: &Catalog) -> FurtherUsers {
        let selected = self.0.second(known, catalog);
        FurtherUsers {
            known: selected.known,
            keys: selected.keys,
            active_users: 2 * selected.going_inactive,
            reports_of: selected.reports_of,
            role_users: selected.role_users,
        }
    }
}

/// Returns the rows of a roster, as an import reads them.
fn rows(roster: &Roster) -> Arc<ByRow<Row>> {
    rows_of(roster.csv().as_bytes())
}

async fn partial(
    store: &Store,
    organization: i64,
    rows: &Arc<ByRow<Row>>,
    match_by: Option<MatchBy>,
) -> Snapshot {
    let selection = UserSelection::new(Arc::clone(rows), RowMatching::ByKeys(match_by));
    let selection = Arc::new(ChosenUsers(selection, 1));
    store
        .snapshot_for(organization, Some(selection))
        .await
        .unwrap()
}

/// Returns everything that a client learns of the plan on a snapshot, and the order of writing.
fn described_plan(rows: &Arc<ByRow<Row>>, snapshot: Snapshot, match_by: Option<MatchBy>) -> String {
    let planned = planned_on(rows, snapshot, match_by);
    let plan = &planned.plan;
    let indices = plan.decisions.indices();
    let results = planned.results(indices, ResultFilter::All, true);
    let results: Vec<_> = results.map(|results| results.encode_to_vec()).collect();
    let written: Vec<_> = plan
        .order
        .rows()
        .iter()
        .map(|&row| (row, plan.order.before(row)))
        .collect();
    format!(
        "{:?}\n{results:?}\n{written:?}\n{:?} {} {} {} {:?}",
        user_import::proto::RowResults::decode(&*results.concat()),
        plan.digest,
        plan.going_inactive,
        plan.identity_changes,
        plan.matched_rows,
        plan.consequences,
    )
}

/// People of the directory besides the random ones. None of them is similar to those in any key.
fn others() -> Roster {
    let above = |name: &'static str| [(SupervisorEmail, name)];
    let known_as = |email: &'static str, name: &'static str| [(Email, email), (Username, name)];
    roster()
        .people(["chief"])
        .row("deputy", above("chief@pd.example"))
        .row("Captain-9", above("deputy@pd.example"))
        .row("left", [(Status, "Inactive"), (BadgeNumber, "00421")])
        .row("far", above("left@pd.example"))
        .row(
            "typed",
            [
                (ExternalId, "T\u{2013}1"),
                (BadgeNumber, "K\u{2011}9"),
                (Username, "o\u{2019}hara"),
            ],
        )
        .row("mcdonaldsoN", known_as("m1@pd.example", "m1"))
        .row("mcDonaldson", known_as("m2@pd.example", "m2"))
        .row("McDonaldson", known_as("m3@pd.example", "m3"))
}

/// A change of a row: a column, and the value that it gets, which is made from a user's value.
type ValueChange = (Index, Column, ValueDamage);

/// The changes that can be made to a value.
type ValueDamage = fn(&str) -> String;

fn changes() -> impl Strategy<Value = Vec<(Index, Index, ValueChange)>> {
    let columns = vec![
        ExternalId,
        Email,
        BadgeNumber,
        Username,
        SupervisorEmail,
        FirstName,
        LastName,
    ];
    let damages: Vec<ValueDamage> = vec![
        |value| format!("0{value}"),
        |value| value.trim_start_matches('0').to_owned(),
        |value| format!("'{value}"),
        |value| format!("{value}.0"),
        |value| value.to_uppercase(),
        |value| value.to_lowercase(),
        |value| value.chars().skip(1).collect(),
        |value| format!("mailto:{value}"),
        |value| value.replacen('a', "aa", 1),
        |_| "depuyt@pd.example".to_owned(),
        |_| "captain-9".to_owned(),
        |_| "421".to_owned(),
        |_| "421.0".to_owned(),
        |_| "LEFT".to_owned(),
        |_| "T-1".to_owned(),
        |_| "K-9".to_owned(),
        |_| "O'Hara".to_owned(),
        |value| value.replace('-', "\u{2013}"),
        |_| "mCdONALDSON".to_owned(),
        |_| "chief@pd.example".to_owned(),
        |_| String::new(),
    ];
    // Only few values are possible for the status and the role.
    let standing: Vec<(Column, ValueDamage)> = vec![
        (Status, |_| "Inactive".to_owned()),
        (Status, |_| "Inactive".to_owned()),
        (RoleColumn, |_| "Sergeant".to_owned()),
        (RoleColumn, |_| "administrator".to_owned()),
    ];
    let value = (select(columns), select(damages));
    let value = prop_oneof![4 => value, 1 => select(standing)];
    let change =
        (any::<Index>(), value).prop_map(|(index, (column, damage))| (index, column, damage));
    vec((any::<Index>(), any::<Index>(), change), 0..8)
}

async fn the_plan_on_the_users_that_rows_can_concern_is_the_plan_on_everybody(database: Database) {
    let app = App::start(database).await;
    let store = app.store().await;
    let organization = store.organization("pd").await.unwrap().id;
    let by = [
        None,
        Some(MatchBy::Email),
        Some(MatchBy::BadgeNumber),
        Some(MatchBy::Username),
    ];
    let worlds = (sound_people(), any_people(), changes(), select(by.to_vec()));
    for_all(
        CASES,
        worlds,
        async |(known, strangers, changes, match_by)| {
            app.tamper("DELETE FROM users").await;
            app.import(others()).await;
            app.import(roster_of(&known)).await;
            let mut people = strangers;
            people.extend(known.iter().take(2).cloned());
            for (person, like, (of, column, damage)) in changes {
                let value = |person: &Vec<(Column, String)>| {
                    let values = person.iter().rev();
                    let found = values.clone().find(|(known, _)| *known == column);
                    found.map(|(_, value)| value.clone()).unwrap_or_default()
                };
                let value = damage(&value(if of.index(2) == 0 {
                    like.get(&known)
                } else {
                    like.get(&people)
                }));
                person.get_mut(&mut people).push((column, value));
            }
            let rows = rows(&roster_of(&people));
            let some = partial(&store, organization, &rows, match_by).await;
            assert!(matches!(some.extent, SnapshotExtent::Partial { .. }));
            let all = store.snapshot(organization).await.unwrap();
            assert_eq!(all.extent, SnapshotExtent::Complete);
            let catalogs = [&some.catalog, &all.catalog].map(|catalog| format!("{catalog:?}"));
            assert_eq!(catalogs[0], catalogs[1]);
            assert_eq!(some.revision, all.revision);
            assert!(some.users.is_sorted_by_key(|user| user.id));
            assert_eq!(
                described_plan(&rows, some, match_by),
                described_plan(&rows, all, match_by)
            );
        },
    );
}

/// Returns the external IDs of the users that a partial snapshot has.
async fn read(app: &App, roster: Roster) -> Vec<String> {
    let store = app.store().await;
    let organization = store.organization("pd").await.unwrap().id;
    let snapshot = partial(&store, organization, &rows(&roster), None).await;
    let mut ids: Vec<_> = snapshot
        .users
        .iter()
        .map(|user| user.external_id().to_owned())
        .collect();
    ids.sort_unstable();
    ids
}

async fn a_row_reads_its_user_and_those_above_and_nobody_else(database: Database) {
    let app = App::start(database).await;
    app.import(others()).await;
    app.people(["ada", "bob"]).await;
    let captain = roster().row("Captain-9", [(LastName, "Roe")]);
    assert_eq!(read(&app, captain).await, ["Captain-9", "chief", "deputy"]);
    assert_eq!(read(&app, roster().people(["new"])).await, [""; 0]);
    // Holders of keys; keys with other zeros, in another case, without an export artefact, and with typographic
    // characters.
    for (column, value, found) in [
        (Email, "ADA@pd.example", "ada"),
        (Username, "BOB", "bob"),
        (BadgeNumber, "421", "left"),
        (BadgeNumber, "000421", "left"),
        (BadgeNumber, "421.0", "left"),
        (ExternalId, "LEFT", "left"),
        (ExternalId, "'left", "left"),
        (ExternalId, "mCdONALDSON", "McDonaldson"),
        (Username, "'bob", "bob"),
        (ExternalId, "T-1", "T\u{2013}1"),
        (BadgeNumber, "K-9", "T\u{2013}1"),
        (BadgeNumber, "K\u{2014}9", "T\u{2013}1"),
        (Username, "O'HARA", "T\u{2013}1"),
    ] {
        let row = roster().row("new", [(column, value)]);
        assert_eq!(read(&app, row).await, [found], "{column} {value}");
    }
    // Supervisors: by email, by another key, and by an email that differs in one letter.
    for (cell, found) in [
        ("ada@pd.example", "ada"),
        ("B-ada", "ada"),
        ("b-ADA", "ada"),
        ("aad@pd.example", "ada"),
        ("ad@pd.example", "ada"),
    ] {
        let names = roster().row("new", [(SupervisorEmail, cell)]);
        assert_eq!(read(&app, names).await, [found], "{cell}");
    }
}

async fn a_user_who_leaves_brings_reports_and_one_more_of_the_role(database: Database) {
    let app = App::start(database).await;
    app.import(others()).await;
    app.people(["ada", "bob"]).await;
    let leaving = roster().row("deputy", [(Status, "Inactive")]);
    let found = read(&app, leaving).await;
    let named = ["Captain-9", "chief", "deputy"];
    assert!(
        named.iter().all(|name| found.contains(&(*name).to_owned())),
        "{found:?}"
    );
    // Two Officers are enough: if one of them leaves, the other one is left.
    assert!(found.len() <= named.len() + 2, "{found:?}");
    // The role changes, so that one more Officer is read.
    let promoted = roster().row("ada", [(RoleColumn, "Sergeant")]);
    let found = read(&app, promoted).await;
    assert!((2..=3).contains(&found.len()), "{found:?}");
}

async fn an_organisation_that_is_too_small_is_read_as_a_whole(database: Database) {
    let app = App::start(database).await;
    app.people(["ada", "bob", "cyd"]).await;
    let store = app.store().await;
    let organization = store.organization("pd").await.unwrap().id;
    let rows = rows(&roster().people(["ada"]));
    for (least, extent, count) in [
        (4, SnapshotExtent::Complete, 3),
        (3, SnapshotExtent::Partial { active_users: 1 }, 1),
    ] {
        let selection = ChosenUsers(
            UserSelection::new(Arc::clone(&rows), RowMatching::ByKeys(None)),
            least,
        );
        let snapshot = store
            .snapshot_for(organization, Some(Arc::new(selection)))
            .await
            .unwrap();
        assert_eq!((snapshot.extent, snapshot.users.len()), (extent, count));
    }
}
