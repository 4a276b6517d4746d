//! `--messages`: what TLS was spoken on the front link, in lines and as JSON.

use core::time::Duration;

use serde_json::{Map, Value, json};
use tender::replay::{Watch, Way};
use transcript::{Connection, Detail, Message, Speaker, Told, Transcript};

/// The front link, as a replay shows it.
#[derive(Debug, Default)]
pub(super) struct Front(Transcript);

impl Front {
    /// What was spoken there.
    pub(super) fn end(self) -> Told {
        self.0.end()
    }
}

impl Watch for Front {
    fn frame(&mut self, now: Duration, link: usize, way: Way, bytes: &[u8]) {
        let from = match way {
            Way::ToGuest => Speaker::Client,
            Way::FromGuest => Speaker::Guest,
        };
        if link == FRONT {
            self.0.frame(now, from, bytes);
        }
    }
}

/// The front link's number.
const FRONT: usize = 0;

/// A headline for each connection, and a line for each message below it.
pub(crate) fn lines(told: &Told) -> impl Iterator<Item = String> {
    let of_connection = |(number, connection): (usize, &Connection)| {
        let Connection { client, guest, opened, messages, left_out } = connection;
        let head = format!("connection {} from {client} to {guest} at {:.6} s", number.saturating_add(1), opened.as_secs_f64());
        let more = (*left_out > 0).then(|| format!("  and {left_out} more messages"));
        core::iter::once(head).chain(messages.iter().map(ToString::to_string).collect::<Vec<_>>()).chain(more)
    };
    let unfollowed = (told.unfollowed > 0).then(|| format!("and {} more connections", told.unfollowed));
    told.connections.iter().enumerate().flat_map(of_connection).chain(unfollowed)
}

/// The members that it adds to the report.
pub(super) fn to_json(told: &Told) -> Map<String, Value> {
    let connections = told.connections.iter().enumerate();
    let messages: Vec<Value> = connections
        .flat_map(|(number, connection)| connection.messages.iter().map(move |message| of_message(number, connection, message)))
        .collect();
    let left_out: u64 = told.connections.iter().map(|connection| connection.left_out).sum();
    Map::from_iter([
        ("messages".to_owned(), messages.into()),
        ("messages_left_out".to_owned(), left_out.into()),
        ("connections_left_out".to_owned(), told.unfollowed.into()),
    ])
}

fn of_message(number: usize, connection: &Connection, message: &Message) -> Value {
    let details: Map<String, Value> = message.details.iter().map(|(name, detail)| ((*name).to_owned(), of_detail(detail))).collect();
    json!({
        "connection": number.saturating_add(1),
        "client": connection.client.to_string(),
        "time_s": message.at.as_secs_f64(),
        "from": message.from.name(),
        "what": message.what,
        "details": details,
    })
}

fn of_detail(detail: &Detail) -> Value {
    match detail {
        Detail::Number(number) => (*number).into(),
        Detail::Text(text) => text.as_str().into(),
        Detail::List(words) => words.clone().into(),
    }
}
