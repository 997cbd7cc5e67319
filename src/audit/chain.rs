//! Verifies a chain event by event, from its first: of a trail, of its archives, or of both together.
//!
//! A trail may have lost its first events, if a later event records that they were archived. The hashes of all events
//! that were followed stay in memory, 32 bytes each, so that a record of an archive, a noted head and a part that
//! repeats events can be compared with them.

use std::fmt;

use super::{AuditAction, NO_HASH, hash};
use crate::proto::{AuditEvent, AuditHead};

/// A head that was noted earlier: the chain must still have that event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotedHead {
    /// Sequence of the newest event at the time.
    pub sequence: i64,
    /// Its hash, 32 bytes.
    pub hash: Vec<u8>,
}

/// A chain of an organisation, verified up to one of its events.
#[derive(Clone, Debug)]
pub struct AuditChain {
    organization: String,
    /// The event before the first that is verified here. `None` until the first event says it.
    before: Option<NotedHead>,
    /// The caller said that the chain begins there, so no record of an archive has to explain the missing events.
    begins_as_told: bool,
    /// The hashes of the events after `before`.
    hashes: Vec<[u8; 32]>,
    /// The next event of this part; `None` before its first.
    next: Option<i64>,
    archived: Option<RecordedArchive>,
    noted: Option<NotedHead>,
}

/// What the newest event about archives records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordedArchive {
    /// The last archived event.
    pub last: NotedHead,
    /// Sequence of the event that records it.
    pub recorded_by: i64,
}

/// The place at which a chain is broken, and how.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainBreak {
    /// An event is missing: the next one that exists does not follow in sequence.
    #[error("event {expected} is missing: event {found} follows event {}", .expected - 1)]
    Missing {
        /// The expected sequence.
        expected: i64,
        /// The sequence that was found.
        found: i64,
    },
    /// The event does not name the hash of the one before: either of them was replaced.
    #[error("event {0} does not follow from the event before it: one of the two was replaced")]
    Unlinked(i64),
    /// The event's fields do not have its hash.
    #[error("event {0} was altered: its hash is not the hash of its fields")]
    Altered(i64),
    /// Two parts have different events with this sequence.
    #[error("event {0} differs between two parts: one of the parts was rewritten")]
    Differs(i64),
    /// The event records an archive of events that the chain does not have.
    #[error("event {0} records an archive that does not end with an event of this chain")]
    FalseRecord(i64),
    /// The chain ends elsewhere than its head says.
    #[error(
        "the chain ends with event {last}, but its head names event {head}: events were removed or replaced at its end"
    )]
    CutOff {
        /// Sequence of the last event that exists.
        last: i64,
        /// Sequence that the head names.
        head: i64,
    },
    /// The event that was noted is not there, or is another.
    #[error(
        "event {0} is not the one that was noted: the chain was cut off before it, or replaced by another chain"
    )]
    NotAsNoted(i64),
}

impl AuditChain {
    /// The chain of `organization`, before its first event.
    #[must_use]
    pub fn new(organization: &str) -> Self {
        Self {
            organization: organization.to_owned(),
            before: None,
            begins_as_told: false,
            hashes: Vec::new(),
            next: None,
            archived: None,
            noted: None,
        }
    }

    /// The chain of `organization` after the event that was noted.
    #[must_use]
    pub fn after(organization: &str, noted: NotedHead) -> Self {
        Self {
            before: Some(noted),
            begins_as_told: true,
            ..Self::new(organization)
        }
    }

    /// Expects that the chain has the event that was noted earlier.
    #[must_use]
    pub fn expect_noted(self, noted: Option<NotedHead>) -> Self {
        Self { noted, ..self }
    }

    /// Returns the sequence of the first event that was verified, or of the expected one if there is none yet.
    #[must_use]
    pub fn first(&self) -> i64 {
        self.before.as_ref().map_or(1, |before| before.sequence + 1)
    }

    /// Returns the newest event that was verified, as a head; sequence 0 if there is none.
    #[must_use]
    pub fn verified(&self) -> AuditHead {
        let sequence = self.newest();
        AuditHead {
            sequence,
            hash: self.hash_of(sequence).unwrap_or(&NO_HASH).to_vec(),
        }
    }

    /// Returns the archive that the newest event about one records.
    #[must_use]
    pub const fn archived(&self) -> Option<&RecordedArchive> {
        self.archived.as_ref()
    }

    /// Returns the noted head if the chain begins after it, so that only an archive has that event.
    #[must_use]
    pub fn noted_before_first(&self) -> Option<&NotedHead> {
        let before = self.before.as_ref()?;
        self.noted
            .as_ref()
            .filter(|noted| noted.sequence < before.sequence)
    }

    /// Another part of the chain follows. It may repeat events of the parts before.
    pub const fn begin_part(&mut self) {
        self.next = None;
    }

    /// Verifies the next event of the chain.
    ///
    /// # Errors
    /// Fails if it is not the next event, or was changed since it was appended.
    pub fn follow(&mut self, event: &AuditEvent) -> Result<(), ChainBreak> {
        let sequence = event.sequence;
        let expected = self.next.unwrap_or_else(|| self.newest() + 1);
        let is_next = match (self.next, &self.before) {
            (Some(next), _) => sequence == next,
            (None, Some(before)) => before.sequence < sequence && sequence <= expected,
            (None, None) => sequence >= 1,
        };
        if !is_next {
            let found = sequence;
            return Err(ChainBreak::Missing { expected, found });
        }
        let digest = hash(&self.organization, event);
        if event.hash != digest {
            return Err(ChainBreak::Altered(sequence));
        }
        if self.before.is_none() {
            self.before = Some(NotedHead {
                sequence: sequence - 1,
                hash: match sequence {
                    1 => NO_HASH.to_vec(),
                    _ => event.previous_hash.clone(),
                },
            });
        }
        if self.hash_of(sequence - 1) != Some(&event.previous_hash) {
            return Err(ChainBreak::Unlinked(sequence));
        }
        match self.hash_of(sequence) {
            None => self.hashes.push(digest),
            Some(known) if known == digest => {}
            Some(_) => return Err(ChainBreak::Differs(sequence)),
        }
        self.next = Some(sequence + 1);
        if event.action == AuditAction::EventsArchived as i32 {
            self.archived = Some(self.read_record(event)?);
        }
        Ok(())
    }

    /// Reads what an event about an archive records. Events that are gone cannot be compared.
    fn read_record(&self, event: &AuditEvent) -> Result<RecordedArchive, ChainBreak> {
        let detail = |name: &str| event.details.get(name).map_or("", String::as_str);
        let last = format!("{}:{}", detail("through"), detail("hash")).parse::<NotedHead>();
        let is_possible = |last: &NotedHead| {
            let known = self.hash_of(last.sequence);
            last.sequence < event.sequence && known.is_none_or(|known| known == last.hash)
        };
        match last.ok().filter(is_possible) {
            Some(last) => Ok(RecordedArchive {
                last,
                recorded_by: event.sequence,
            }),
            None => Err(ChainBreak::FalseRecord(event.sequence)),
        }
    }

    /// Expects that the chain ends at `head`, and returns that head.
    ///
    /// # Errors
    /// Fails if it does not, if events before the first were not recorded as archived, or if the noted event was not
    /// found.
    pub fn end(&self, head: &AuditHead) -> Result<NotedHead, ChainBreak> {
        let found = self.first();
        let archived = self.archived.as_ref();
        let archived = archived.map_or(0, |archived| archived.last.sequence);
        if !self.begins_as_told && archived < found - 1 {
            let expected = archived + 1;
            return Err(ChainBreak::Missing { expected, found });
        }
        let verified = self.verified();
        if *head != verified {
            return Err(ChainBreak::CutOff {
                last: verified.sequence,
                head: head.sequence,
            });
        }
        if let Some(noted) = &self.noted
            && self.hash_of(noted.sequence) != Some(&noted.hash)
        {
            return Err(ChainBreak::NotAsNoted(noted.sequence));
        }
        Ok(NotedHead {
            sequence: verified.sequence,
            hash: verified.hash,
        })
    }

    /// Returns the sequence of the newest event that was verified. If there is none, returns the sequence before the
    /// first.
    fn newest(&self) -> i64 {
        self.first() - 1 + i64::try_from(self.hashes.len()).unwrap_or(i64::MAX)
    }

    /// Returns the hash of an event that was verified, or of the one before the first.
    fn hash_of(&self, sequence: i64) -> Option<&[u8]> {
        let before = self.before.as_ref()?;
        match usize::try_from(sequence - before.sequence).ok()? {
            0 => Some(&before.hash),
            number => self.hashes.get(number - 1).map(|hash| &hash[..]),
        }
    }
}

impl fmt::Display for NotedHead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.sequence, hex::encode(&self.hash))
    }
}

impl std::str::FromStr for NotedHead {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WRONG: &str = "give SEQUENCE:HASH as an earlier `audit verify` printed it";
        let (sequence, hash) = text.split_once(':').ok_or(WRONG)?;
        let noted = Self {
            sequence: sequence.parse().map_err(|_| WRONG)?,
            hash: hex::decode(hash).map_err(|_| WRONG)?,
        };
        match noted.hash.len() == NO_HASH.len() && noted.sequence > 0 {
            true => Ok(noted),
            false => Err(WRONG),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A chain of `pd` with this many events.
    fn events(count: i64) -> Vec<AuditEvent> {
        let mut events: Vec<AuditEvent> = Vec::new();
        for sequence in 1..=count {
            let previous = events.last().map(|event| event.hash.clone());
            let mut event = AuditEvent {
                sequence,
                principal: "local".to_owned(),
                previous_hash: previous.unwrap_or_else(|| NO_HASH.to_vec()),
                ..AuditEvent::default()
            };
            event.hash = hash("pd", &event).to_vec();
            events.push(event);
        }
        events
    }

    fn verify(events: &[AuditEvent], head: &AuditEvent) -> Result<NotedHead, ChainBreak> {
        verify_noted(events, head, None)
    }

    fn verify_noted(
        events: &[AuditEvent],
        head: &AuditEvent,
        noted: Option<NotedHead>,
    ) -> Result<NotedHead, ChainBreak> {
        let mut chain = AuditChain::new("pd").expect_noted(noted);
        events.iter().try_for_each(|event| chain.follow(event))?;
        chain.end(&AuditHead {
            sequence: head.sequence,
            hash: head.hash.clone(),
        })
    }

    #[test]
    fn a_chain_as_it_was_appended_holds() {
        let events = events(5);
        assert_eq!(verify(&events, &events[4]).map(|head| head.sequence), Ok(5));
        let nothing = AuditHead {
            sequence: 0,
            hash: NO_HASH.to_vec(),
        };
        assert!(AuditChain::new("pd").end(&nothing).is_ok());
    }

    #[test]
    fn a_part_of_a_chain_holds_after_the_event_before_it() {
        let events = events(5);
        let noted = verify(&events[..3], &events[2]).unwrap();
        let mut part = AuditChain::after("pd", noted.clone());
        events[3..]
            .iter()
            .try_for_each(|event| part.follow(event))
            .unwrap();
        assert_eq!(part.end(&part.verified()).map(|head| head.sequence), Ok(5));
        let other = NotedHead {
            hash: vec![1; 32],
            ..noted
        };
        let found = AuditChain::after("pd", other).follow(&events[3]);
        assert_eq!(found, Err(ChainBreak::Unlinked(4)));
    }

    #[test]
    fn a_change_is_found_where_it_is() {
        let whole = events(5);
        let head = &whole[4];
        let mut altered = whole.clone();
        altered[2].principal = "somebody else".to_owned();
        assert_eq!(verify(&altered, head), Err(ChainBreak::Altered(3)));
        // Hashing it again breaks the link behind it.
        altered[2].hash = hash("pd", &altered[2]).to_vec();
        assert_eq!(verify(&altered, head), Err(ChainBreak::Unlinked(4)));
        let mut removed = whole.clone();
        removed.remove(1);
        let missing = ChainBreak::Missing {
            expected: 2,
            found: 3,
        };
        assert_eq!(verify(&removed, head), Err(missing));
        let cut = ChainBreak::CutOff { last: 4, head: 5 };
        assert_eq!(verify(&whole[..4], head), Err(cut));
        let mut other = AuditChain::new("sheriff");
        assert_eq!(other.follow(&whole[0]), Err(ChainBreak::Altered(1)));
    }

    /// Appends a record that the events up to this one were archived.
    fn record(events: &mut Vec<AuditEvent>, last: &AuditEvent) {
        let newest = events.last().unwrap();
        let mut event = AuditEvent {
            sequence: newest.sequence + 1,
            previous_hash: newest.hash.clone(),
            action: AuditAction::EventsArchived as i32,
            details: [
                ("through".to_owned(), last.sequence.to_string()),
                ("hash".to_owned(), hex::encode(&last.hash)),
            ]
            .into(),
            ..AuditEvent::default()
        };
        event.hash = hash("pd", &event).to_vec();
        events.push(event);
    }

    /// Five events, then a record that the first three were archived.
    fn archived() -> Vec<AuditEvent> {
        let mut events = events(5);
        let last = events[2].clone();
        record(&mut events, &last);
        events
    }

    #[test]
    fn a_chain_may_begin_after_events_that_it_records_as_archived() {
        let whole = archived();
        let head = &whole[5];
        for first in 0..=3 {
            let end = verify(&whole[first..], head).map(|head| head.sequence);
            assert_eq!(end, Ok(6), "{first}");
        }
        let missing = |expected, found| Err(ChainBreak::Missing { expected, found });
        assert_eq!(verify(&whole[4..], head), missing(4, 5));
        assert_eq!(verify(&whole[5..], head), missing(4, 6));
        // Without the record, no event may be missing.
        assert_eq!(verify(&whole[1..5], &whole[4]), missing(1, 2));
    }

    #[test]
    fn a_record_of_an_archive_must_name_an_event_of_the_chain() {
        let whole = events(5);
        let other = |sequence, hash| AuditEvent {
            sequence,
            hash,
            ..AuditEvent::default()
        };
        for last in [
            other(3, vec![1; 32]),
            other(6, vec![1; 32]),
            other(0, NO_HASH.to_vec()),
            other(3, vec![1; 31]),
        ] {
            let mut events = whole.clone();
            record(&mut events, &last);
            let found = verify(&events, &events[5]);
            assert_eq!(found, Err(ChainBreak::FalseRecord(6)), "{last:?}");
        }
        // The first event that is kept names the hash of the last one that was removed.
        let mut events = whole;
        record(&mut events, &other(3, vec![1; 32]));
        let found = verify(&events[3..], &events[5]);
        assert_eq!(found, Err(ChainBreak::FalseRecord(6)));
    }

    #[test]
    fn parts_that_overlap_are_one_chain_and_a_gap_or_a_fork_is_found() {
        let whole = archived();
        let joined = |parts: &[&[AuditEvent]]| {
            let mut chain = AuditChain::new("pd");
            for part in parts {
                chain.begin_part();
                part.iter().try_for_each(|event| chain.follow(event))?;
            }
            chain.end(&chain.verified()).map(|head| head.sequence)
        };
        assert_eq!(joined(&[&whole[..3], &whole[3..]]), Ok(6));
        assert_eq!(joined(&[&whole[..4], &whole[1..3], &whole[2..]]), Ok(6));
        let missing = |expected, found| Err(ChainBreak::Missing { expected, found });
        assert_eq!(joined(&[&whole[..2], &whole[3..]]), missing(3, 4));
        assert_eq!(joined(&[&whole[3..], &whole[..3]]), missing(7, 1));
        // A part must not repeat its own events.
        let twice = [&whole[..3], &whole[2..]].concat();
        assert_eq!(joined(&[&twice]), missing(4, 3));
        let mut fork = whole[..3].to_vec();
        fork[2].principal = "somebody else".to_owned();
        fork[2].hash = hash("pd", &fork[2]).to_vec();
        assert_eq!(
            joined(&[&whole[..4], &fork[2..]]),
            Err(ChainBreak::Differs(3))
        );
    }

    #[test]
    fn a_noted_head_before_the_first_event_is_only_in_the_archive() {
        let whole = archived();
        let noted = |number: usize| NotedHead {
            sequence: whole[number].sequence,
            hash: whole[number].hash.clone(),
        };
        let mut chain = AuditChain::new("pd").expect_noted(Some(noted(1)));
        for event in &whole[3..] {
            chain.follow(event).unwrap();
        }
        assert_eq!(chain.noted_before_first(), Some(&noted(1)));
        // The hash of the event just before the part is known.
        let chain = chain.expect_noted(Some(noted(2)));
        assert_eq!(chain.noted_before_first(), None);
        assert!(chain.end(&chain.verified()).is_ok());
    }

    #[test]
    fn a_replaced_chain_is_not_the_one_that_was_noted() {
        let noted = verify(&events(3), &events(3)[2]).unwrap();
        let longer = events(5);
        assert!(verify_noted(&longer, &longer[4], Some(noted.clone())).is_ok());
        let mut replaced = Vec::new();
        for mut event in events(5) {
            event.principal = "nobody".to_owned();
            let previous = replaced.last().map(|event: &AuditEvent| event.hash.clone());
            event.previous_hash = previous.unwrap_or_else(|| NO_HASH.to_vec());
            event.hash = hash("pd", &event).to_vec();
            replaced.push(event);
        }
        assert!(verify(&replaced, &replaced[4]).is_ok());
        let found = verify_noted(&replaced, &replaced[4], Some(noted.clone()));
        assert_eq!(found, Err(ChainBreak::NotAsNoted(3)));
        let short = events(2);
        let found = verify_noted(&short, &short[1], Some(noted));
        assert_eq!(found, Err(ChainBreak::NotAsNoted(3)));
    }

    #[test]
    fn what_is_noted_is_read_as_it_is_written() {
        let noted = NotedHead {
            sequence: 42,
            hash: vec![0xab; 32],
        };
        assert_eq!(noted.to_string().parse(), Ok(noted.clone()));
        for wrong in ["", "42", "42:ab", "0:00", ":", "x:00", "42:+b"] {
            assert!(wrong.parse::<NotedHead>().is_err(), "{wrong}");
        }
        assert!(
            format!("0:{}", "00".repeat(32))
                .parse::<NotedHead>()
                .is_err()
        );
    }
}
