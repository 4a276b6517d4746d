//! Which path gets which answer, at which door.

use super::board::{Board, Wish};
use super::http::{JSON, Request, Response};
use super::{document, metrics, table};
use crate::limits::{RELOAD_PATIENCE, STATUS_PATIENCE};

/// Which way a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// The TCP address: whoever reaches it may look.
    Tcp,
    /// The Unix socket: its owner, who may also ask for things.
    Owner,
}

/// The media type of the text format (prometheus.io/docs/instrumenting/exposition_formats).
const METRICS: &str = "text/plain; version=0.0.4; charset=utf-8";

pub(super) fn answer(request: &Request, door: Door, board: &Board) -> Response {
    match (request.method.as_str(), request.path.as_str(), door) {
        ("GET", "/metrics", _) => Response { status: 200, kind: METRICS, body: metrics::text(&board.ask(STATUS_PATIENCE)) },
        // The supervisor lives: it answers.
        ("GET", "/healthz", _) => Response::text(200, "ok\n"),
        ("GET", "/readyz", _) => ready(board),
        ("GET", "/status", _) => Response { status: 200, kind: JSON, body: format!("{}\n", document::of(&board.ask(STATUS_PATIENCE))) },
        ("GET", "/status?text", _) => Response::text(200, table::of(&board.ask(STATUS_PATIENCE))),
        ("POST", "/reload", Door::Owner) => reload(board),
        ("POST", "/drain", Door::Owner) => drain(board),
        (_, "/metrics" | "/healthz" | "/readyz" | "/status" | "/status?text", _) => Response::text(405, "only GET\n"),
        (_, "/reload" | "/drain", Door::Tcp) => Response::text(404, "only by the admin socket\n"),
        (_, "/reload" | "/drain", Door::Owner) => Response::text(405, "only POST\n"),
        _ => Response::text(404, "here are /metrics /healthz /readyz /status\n"),
    }
}

fn ready(board: &Board) -> Response {
    let hindrances = board.ask(STATUS_PATIENCE).hindrances();
    if hindrances.is_empty() {
        return Response::text(200, "ready\n");
    }
    Response::text(503, hindrances.iter().map(|why| format!("{why}\n")).collect::<String>())
}

fn reload(board: &Board) -> Response {
    let Some(answer) = board.wish_reload() else { return Response::text(503, "too much is asked for at once\n") };
    match answer.recv_timeout(RELOAD_PATIENCE) {
        Ok(Ok(())) => Response::text(200, "reloaded\n"),
        Ok(Err(why)) => Response::text(409, format!("{why}\n")),
        Err(_) => Response::text(503, "no answer in time; the log will say what became of it\n"),
    }
}

fn drain(board: &Board) -> Response {
    if board.wish(Wish::Drain) { Response::text(202, "draining\n") } else { Response::text(503, "too much is asked for at once\n") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::admin::board::Facts;
    use core::time::Duration;

    fn status(method: &str, path: &str, door: Door) -> u16 {
        let (board, _wishes) = Board::new(Facts::new(Duration::ZERO)).unwrap();
        answer(&Request { method: method.into(), path: path.into() }, door, &board).status
    }

    #[test]
    fn tcp_may_look_and_change_nothing() {
        for path in ["/metrics", "/healthz", "/status", "/status?text"] {
            assert_eq!(status("GET", path, Door::Tcp), 200, "{path}");
            assert_eq!(status("POST", path, Door::Tcp), 405, "{path}");
        }
        for path in ["/reload", "/drain", "/", "/metrics/../drain", "*"] {
            assert_eq!(status("POST", path, Door::Tcp), 404, "{path}");
            assert_eq!(status("GET", path, Door::Tcp), 404, "{path}");
        }
    }

    #[test]
    fn the_owner_may_ask_by_post_only() {
        assert_eq!(status("POST", "/drain", Door::Owner), 202);
        assert_eq!(status("GET", "/drain", Door::Owner), 405);
        assert_eq!(status("GET", "/reload", Door::Owner), 405);
    }

    #[test]
    fn a_box_without_a_guest_is_alive_and_not_ready() {
        assert_eq!(status("GET", "/healthz", Door::Tcp), 200);
        assert_eq!(status("GET", "/readyz", Door::Tcp), 503);
    }
}
