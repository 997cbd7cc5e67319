//! Every commit leaves a valid directory (semantics §5, Writing). Large rearrangements are written in transactions of
//! the smallest possible size, and end as they were planned.

use std::collections::HashMap;

use user_import::{
    config::Settings,
    domain::Column::{
        BadgeNumber, Email, EvidenceGroupExtId, ExternalId, FirstName, LastName, Phone, Rank, Role,
        Status, SupervisorEmail, Username,
    },
    proto::{ImportStart, User},
};

use user_import_testing::{
    App, Database, Roster, SeededRandom, on_both_databases, roster, start_of,
};

on_both_databases![
    any_rearrangement_is_written_one_row_at_a_time,
    the_directory_is_valid_between_commits,
    everybody_may_move_on_by_one_in_one_transaction,
    those_who_change_in_different_attributes_keep_all_others,
];

/// Returns the numbers below `count` in random order.
fn shuffled(dice: &mut SeededRandom, count: usize) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..count).collect();
    dice.shuffle(&mut numbers);
    numbers
}

fn small_transactions(transaction_rows: usize) -> Settings {
    Settings {
        transaction_rows,
        ..Settings::default()
    }
}

/// Returns `count` people. The same emails, badge numbers and usernames are distributed among them again. Each has a
/// random supervisor or none, and the rows are in random order.
fn dealt(dice: &mut SeededRandom, count: usize) -> Roster {
    let (emails, badges, usernames) = (
        shuffled(dice, count),
        shuffled(dice, count),
        shuffled(dice, count),
    );
    let ranking = shuffled(dice, count);
    // Each person except the first of the ranking has a supervisor from before it. One in eight has none.
    let above: HashMap<usize, usize> = (1..count)
        .filter_map(|place| {
            let boss = ranking[dice.below(place)];
            (dice.below(8) > 0).then_some((ranking[place], boss))
        })
        .collect();
    let order = shuffled(dice, count);
    order.into_iter().fold(roster(), |roster, person| {
        let supervisor = above
            .get(&person)
            .map(|&boss| format!("e{}@pd.example", emails[boss]));
        roster.row(
            "dealt",
            [
                (ExternalId, &*format!("u{person:03}")),
                (Email, &*format!("e{}@pd.example", emails[person])),
                (BadgeNumber, &*format!("{}", badges[person])),
                (Username, &*format!("n{}", usernames[person])),
                (SupervisorEmail, &*supervisor.unwrap_or_default()),
            ],
        )
    })
}

/// Every person may get the values of another one.
fn rearranging() -> ImportStart {
    ImportStart {
        max_identity_changes: Some(1_000),
        ..start_of("pd")
    }
}

async fn any_rearrangement_is_written_one_row_at_a_time(database: Database) {
    for (seed, transaction_rows) in [(1, 1), (2, 2), (3, 1), (4, 7)] {
        let app = App::start_with(database, small_transactions(transaction_rows)).await;
        let mut dice = SeededRandom::new(seed);
        // Each round has more people than the one before. Some of them are new, and take keys that others give up.
        for count in [30, 40, 50] {
            let deal = dealt(&mut dice, count);
            let imported = app.import_with(rearranging(), &deal).await;
            assert_eq!(imported.summary().rejected, 0, "seed {seed}:\n{imported}");
            let again = app.import(deal).await;
            assert_eq!(
                again.summary().unchanged as usize,
                count,
                "seed {seed}:\n{again}"
            );
        }
    }
}

async fn the_directory_is_valid_between_commits(database: Database) {
    let app = App::start_with(database, small_transactions(1)).await;
    let mut dice = SeededRandom::new(99);
    app.import(dealt(&mut dice, 120)).await;
    let deal = dealt(&mut dice, 150);
    let mut looks = 0;
    let looking = async {
        loop {
            assert_valid(&app.users().await);
            looks += 1;
        }
    };
    let imported = tokio::select! {
        imported = app.import_with(rearranging(), deal) => imported,
        () = looking => unreachable!("it looks on for ever"),
    };
    assert_eq!(imported.summary().rejected, 0, "{imported}");
    assert_valid(&app.users().await);
    assert!(looks > 1, "{looks} looks");
}

/// Fails unless every supervisor exists and no person is in the chain of its own supervisors. (The database itself
/// keeps the keys unique.)
fn assert_valid(users: &[User]) {
    let above: HashMap<&str, &str> = users
        .iter()
        .map(|user| (&*user.email, &*user.supervisor_email))
        .collect();
    for user in users {
        let mut at = &*user.email;
        for _ in 0..=users.len() {
            if at.is_empty() {
                break;
            }
            at = above.get(at).unwrap_or_else(|| panic!("{at} is nobody"));
        }
        assert!(at.is_empty(), "{} is on a circle", user.external_id);
    }
}

async fn everybody_may_move_on_by_one_in_one_transaction(database: Database) {
    let app = App::start_with(database, small_transactions(1)).await;
    let moved = |by: usize| {
        (0..200).fold(roster(), |roster, n| {
            let badge = format!("{}", (n + by) % 200);
            roster.row(&format!("u{n}"), [(BadgeNumber, &*badge)])
        })
    };
    assert_eq!(app.import(moved(0)).await.summary().created, 200);
    assert_eq!(app.import(moved(1)).await.summary().updated, 200);
}

async fn those_who_change_in_different_attributes_keep_all_others(database: Database) {
    let app = App::start(database).await;
    let changes = [
        (Email, "other@pd.example"),
        (BadgeNumber, "777"),
        (FirstName, "Other"),
        (LastName, "Other"),
        (Status, "Inactive"),
        (Username, "other"),
        (Role, "Sergeant"),
        (SupervisorEmail, ""),
        (Rank, ""),
        (EvidenceGroupExtId, ""),
        (Phone, ""),
    ];
    let everybody = |change: bool| {
        let people = roster().people(["chief"]);
        (0..).zip(changes).fold(people, |people, (n, other)| {
            let mut values = vec![
                (SupervisorEmail, "chief@pd.example"),
                (Rank, "Captain"),
                (EvidenceGroupExtId, "G-1"),
                (Phone, "+12025550123"),
            ];
            if change {
                values.retain(|(column, _)| *column != other.0);
                values.push(other);
            }
            people.row(&format!("u{n}"), values)
        })
    };
    assert_eq!(app.import(everybody(false)).await.summary().created, 12);
    let changed = app.import(everybody(true)).await;
    assert_eq!(changed.summary().updated, 11, "{changed}");
    for (n, (column, _)) in (2..).zip(changes) {
        let names: Vec<_> = changed.row(n).changes.iter().map(|c| &*c.column).collect();
        assert_eq!(names, [column.header()]);
    }
    let again = app.import(everybody(true)).await;
    assert_eq!(again.summary().unchanged, 12, "{again}");
}
