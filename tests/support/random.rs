//! Random rosters with exotic Unicode, quotes, line breaks, leading zeros, values that spreadsheets take for formulas,
//! and, on request, faults.

use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{Index, select},
};
use user_import::domain::Column::{
    self, BadgeNumber, Email, EvidenceGroupExtId, ExternalId, FirstName, LastName, Phone, Rank,
    Role, Status, SupervisorEmail, Username,
};

use super::{Roster, roster};

/// Values of one person, by column.
pub type PersonValues = Vec<(Column, String)>;

/// Text that is never blank and that no check refuses.
fn text() -> impl Strategy<Value = String> {
    let piece = select(vec![
        "a",
        "Z",
        "0",
        "00",
        "=1+1",
        "+",
        "-",
        "@",
        "'",
        "\"",
        "\"\"",
        ",",
        ";",
        "\t",
        "\n",
        "\r\n",
        "|",
        " ",
        "\u{A0}",
        "é",
        "e\u{301}",
        "ß",
        "İ",
        "ſ",
        "三",
        "한",
        "\u{1100}\u{1161}",
        "😀",
        "👩\u{200D}🚒",
        "אב",
        "ع",
        "\u{FEFF}",
        "\u{AD}",
        "ﬁ",
        "\u{212B}",
        "\u{0345}",
        "\\",
        "%",
        "NULL",
    ]);
    // If a value spans lines and contains the delimiter, its closing quote counts as missing.
    let on_lines = |text: String| match text.contains(['\n', '\r']) {
        true => text.replace(',', ""),
        false => text,
    };
    (vec(piece, 0..6), "[a-z]{1,3}").prop_map(move |(pieces, end)| on_lines(pieces.concat() + &end))
}

/// The values of a person, before the roster places the person.
#[derive(Clone, Debug)]
struct PersonDraft {
    names: [String; 4],
    local: &'static str,
    zeros: usize,
    status: &'static str,
    role: &'static str,
    boss: Option<Index>,
    rank: &'static str,
    group: &'static str,
    phone: &'static str,
}

fn draft() -> impl Strategy<Value = PersonDraft> {
    let words = (
        select(vec!["ada", "O'Neil", "=cmd", "+1", "jörg", "三", "A.B"]),
        select(vec!["active", "Inactive"]),
        select(vec!["Officer", "SERGEANT"]),
        select(vec!["", "Captain"]),
        select(vec!["", "G-1"]),
        select(vec![
            "",
            "+12025550123",
            "44 20 7946 0018",
            "+1 555 555 0143",
        ]),
    );
    let names = [text(), text(), text(), text()];
    (names, words, 0..4usize, option::of(any::<Index>())).prop_map(
        |(names, (local, status, role, rank, group, phone), zeros, boss)| PersonDraft {
            names,
            local,
            zeros,
            status,
            role,
            boss,
            rank,
            group,
            phone,
        },
    )
}

impl PersonDraft {
    fn email(&self, place: usize) -> String {
        format!("{}{place}@pd.example", self.local)
    }

    /// Returns values with unique keys, and with a supervisor from the people before this one.
    fn values(&self, place: usize, before: &[PersonDraft]) -> PersonValues {
        let [first, last, key, username] = &self.names;
        let zeros = "0".repeat(self.zeros);
        let boss = self
            .boss
            .filter(|_| place > 0)
            .map(|boss| boss.index(place));
        let boss = boss.map(|boss| before[boss].email(boss).to_uppercase());
        // Latin letters, and characters that are allowed beside them. Deceptive text is refused.
        let shown =
            |c: &char| c.is_ascii_graphic() || matches!(c, 'é' | 'ß' | 'İ' | 'ſ' | '三' | '한');
        let username: String = username.chars().filter(shown).collect();
        // A key must not contain a format character, and must not consist of zeros.
        let key = key.replace('\u{200D}', "");
        let number = place + 1;
        vec![
            (ExternalId, format!("{zeros}{number}{key}")),
            (Email, self.email(place)),
            (BadgeNumber, format!("{zeros}{key}{number}")),
            (FirstName, first.clone()),
            (LastName, last.clone()),
            (Status, self.status.to_owned()),
            (Username, format!("{username}{number}")),
            (Role, self.role.to_owned()),
            (SupervisorEmail, boss.unwrap_or_default()),
            (Rank, self.rank.to_owned()),
            (EvidenceGroupExtId, self.group.to_owned()),
            (Phone, self.phone.to_owned()),
        ]
    }
}

/// People with valid values.
pub fn sound_people() -> impl Strategy<Value = Vec<PersonValues>> {
    vec(draft(), 1..7).prop_map(|drafts| {
        let placed = drafts.iter().enumerate();
        placed
            .map(|(place, draft)| draft.values(place, &drafts))
            .collect()
    })
}

/// People with any values: valid or faulty, unique or shared.
pub fn any_people() -> impl Strategy<Value = Vec<PersonValues>> {
    let value = prop_oneof![
        3 => select(vec![
            "", " ", "Active", "on leave", "0", "00", "1.5E+9", "ada0@pd.example", "nobody@pd.example",
            "Captain", "Captian", "G-1", "G-2", "+1202", "n/a", "a\u{7}b", "\u{202E}", "Officer",
        ]).prop_map(str::to_owned),
        2 => text(),
        1 => Just("x".repeat(300)),
    ];
    let differing = vec((select(Column::ALL.to_vec()), value), 0..4);
    (sound_people(), vec(differing, 7)).prop_map(|(mut people, differing)| {
        for (person, differing) in people.iter_mut().zip(differing) {
            person.extend(differing);
        }
        people
    })
}

/// Returns these people as a roster.
pub fn roster_of(people: &[PersonValues]) -> Roster {
    let values = |person: &PersonValues| person.clone();
    people.iter().fold(roster(), |roster, person| {
        let values = values(person);
        roster.row(
            "x",
            values.iter().map(|(column, value)| (*column, &**value)),
        )
    })
}
