//! docs/misbehave.md.

use misbehave::catalogue;
use misbehave::misbehaviour::Misbehaviour;

use crate::client::Care;
use crate::judgement::{Cell, Judgement};
use crate::notes;

const HEAD: &str = "# Judging TLS clients

Written by `make judge`: the table is what its last run saw.

`bountybox target --misbehave NAMES` is a TLS server that answers wrongly by script, and says of each client whether it noticed. It is not the box: it is a
small server of TLS 1.3 and 1.2 of its own, in which each message can be wrong on purpose, on a port of the host. What it says wrongly stands in the
transcript as it was said, so that a client that does not look completes the handshake, and is caught.

```sh
bountybox target --misbehave list                                   # what there is
bountybox target --misbehave all -- curl --silent --cacert {ca} https://{host}:{port}/
bountybox target --misbehave expired,other-name --force --listen 127.0.0.1:4433 --ca root.pem   # whoever connects, in turn
bountybox target --misbehave resumed --force -- curl --silent --cacert {ca} https://{host}:{port}/ https://{host}:{port}/   # a client that comes back
```

- Behind `--` stands the client's command. It is started once for each misbehaviour, with `{host}`, `{port}` and `{ca}` filled in; what it reads from standard
  input is an HTTP request, and its output is thrown away. Without a command, whoever connects is told the next misbehaviour.
- The root is made anew each time, in the file of `--ca` (`misbehave-ca.pem`), which must not be there yet unless `--force` is given; its key is never written
  down. The client must trust it, ask for `localhost`, and send something: a client that never asks for anything cannot be caught.
- `resumed` is what can go wrong only when a client comes back. The client makes two connections for each: in the first one an honest server gives it a ticket (TLS
  1.2: a session, or a ticket if it wants one), and the second one, in which it must offer that, is answered wrongly. `all` holds these too; for a client that comes
  once they are untried, and a command that comes twice is for `resumed` alone.
- Before all come the controls: the honest server in the same version, for those that come once and for those that come back (`honest`, `honest-1.2`,
  `honest-resumed`, `honest-resumed-1.2`), as far as they are needed. A client that refuses one ends the judgement; one that does not do what it needs is tried by
  nothing of its kind.
- `--timeout` bounds each step; a client that neither leaves nor complains by then has gone on. The last line says how many were noticed, and how many
  untried if any were; `--json` prints one object, with `untried`.

| verdict | meaning |
|---|---|
| noticed (alert NAME) | it ended the connection by this alert |
| noticed (closed) | it ended the connection without one, having sent no application data, and (with a command) did not end with 0 |
| noticed (failed) | what was wrong is the end of the connection: its exit code is not 0 |
| noticed (not offered) | it came back, and did not offer what had expired |
| fooled | it sent application data, or went on, or ended with 0, or offered what had expired |
| untried | it does not offer that in which this could be said, or did not come back |
| no client | nobody came, or nobody who speaks TLS, or it left before anything was wrong |

| exit code | meaning |
|---|---|
| 0 | everything that was tried was noticed, and all names that were asked for were tried; of a group (`all`, `resumed`) something |
| 26 | it was fooled at least once; the names are listed |
| 27 | no client came, or not for everything; a name that was asked for, or a whole group, was left untried; or it does not do what the first control needs |
| 28 | it refused the honest server |

An alert that the RFC does not name for the case is still a notice; the table marks it with `*`. Revocation, and what needs keys that ring does not make (RSA, SHA-1,
MD5 signatures), are not among the misbehaviours. Nor is a ticket that claims to be good for more than 7 days: a server must not say it, and a client must not keep it
for longer (RFC 8446 4.6.1), which nobody waits for. The lifetime of a ticket of TLS 1.2 is a hint (RFC 5077 3.3).

";

pub(crate) fn page(judgements: &[Judgement]) -> String {
    [HEAD.to_owned(), clients(judgements), table(judgements), findings(judgements)].concat()
}

fn clients(judgements: &[Judgement]) -> String {
    let rows = judgements.iter().map(|one| match &one.version {
        Err(why) => format!("| {} | skipped: {why} | | | | |\n", one.name),
        Ok(version) => {
            let exit_codes: Vec<String> = one.exit_codes.iter().map(ToString::to_string).collect();
            let (noticed, untried) = (one.count(Cell::is_noticed), one.count(|cell| *cell == Cell::Untried));
            format!("| {} | {version} | {noticed} | {} | {untried} | {} |\n", one.name, one.fooled().len(), exit_codes.join(", "))
        }
    });
    let head = "## The clients\n\nEach as a careful user of it would write it, once for what is said in one connection and once to come back (two exit codes, where they differ); `curl -k`, which looks at no certificate, is the careless one, and must be caught.\n\n";
    format!(
        "{head}| client | version | noticed | fooled | untried | exit code |\n|---|---|--:|--:|--:|--:|\n{}\n",
        rows.collect::<String>()
    )
}

fn table(judgements: &[Judgement]) -> String {
    let judged: Vec<&Judgement> = judgements.iter().filter(|one| one.version.is_ok()).collect();
    let names: String = judged.iter().map(|one| format!(" {} |", one.name)).collect();
    let rows = catalogue::all().map(|one| row(one, &judged));
    let head = "## The misbehaviours\n\nWhat is said is TLS 1.3 but where it says otherwise. `closed` and `failed`: without an alert.\n\n";
    format!(
        "{head}| name | what is wrong | forbidden by |{names}\n|---|---|---|{}\n{}\n",
        "---|".repeat(judged.len()),
        rows.collect::<String>()
    )
}

fn row(one: &Misbehaviour, judged: &[&Judgement]) -> String {
    let cells: String =
        judged.iter().map(|judgement| format!(" {} |", judgement.cells.get(one.name).map_or("-".to_owned(), cell))).collect();
    format!("| `{}` | {} | {} |{cells}\n", one.name, one.wrong, one.rfc)
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Alert(alert, true) => alert.clone(),
        Cell::Alert(alert, false) => format!("{alert} *"),
        Cell::Fooled(_) => "**fooled**".to_owned(),
        Cell::Untried => "untried".to_owned(),
        Cell::Accepted => "accepted".to_owned(),
        Cell::Unsaid(how) | Cell::Other(how) => how.clone(),
    }
}

fn findings(judgements: &[Judgement]) -> String {
    let careful = judgements.iter().filter(|one| one.care == Care::Careful);
    let fooled: Vec<(&str, &str)> = careful.flat_map(|one| one.fooled().into_iter().map(|name| (name, one.name))).collect();
    let lines = catalogue::all().filter_map(|one| {
        let who: Vec<&str> = fooled.iter().filter(|(name, _)| *name == one.name).map(|(_, who)| *who).collect();
        let note = notes::of(one.name).unwrap_or(notes::UNDECIDED);
        (!who.is_empty()).then(|| format!("- `{}`: {}. {note}\n", one.name, who.join(", ")))
    });
    let head = "## Where a careful client was fooled\n\nWhether the client is at fault is decided by the RFC's words.\n\n";
    format!("{head}{}", lines.collect::<String>())
}
