//! Parcels over a real socket pair.

use super::*;
use crate::limits::LETTERS_WAITING_MAX;
use crate::mailbox::{Answer, Full, Letter, Mailbox};
use crate::order::{AccessLog, AccessTo, Back, CallBack, Ends, Front, JailWish, Lines, Listener, Machine};

pub(crate) fn order() -> Order {
    let ends = Ends { guest_mac: [2; 6], guest: vec![], host_mac: [4; 6], host: vec![], mtu: 1500 };
    let call_back = CallBack { door: Listener { address: None, port: 443 }, port: 4433 };
    Order {
        machine: Machine::Process,
        heap_len: 1,
        front: Front::User { ends: ends.clone(), doors: vec!["10.0.2.15:443".parse().unwrap()], call_back: Some(call_back) },
        back: Back::User { ends, backends: vec![], later_ports: vec![] },
        lines: Lines::Text,
        access: AccessLog { to: AccessTo::Nowhere, lines: Lines::Text },
        capture: false,
        record: None,
        drain_ms: 7,
        jail: JailWish::Full,
        contest: None,
    }
}

fn file() -> File {
    File::open("/dev/null").unwrap()
}

#[test]
fn a_parcel_arrives_with_its_descriptors() {
    let (mut ours, theirs) = Supervised::pair().unwrap();
    let (image, door) = (file(), file());
    let big = vec![7; abi::limits::BUNDLE_LEN_MAX];
    let sender = std::thread::spawn(move || ours.send(&order(), &big, image.as_fd(), &[door.as_fd()]).map(|()| ours).unwrap());
    let (mut tending, parcel) = Tending::receive(theirs).unwrap();
    let mut ours = sender.join().unwrap();
    assert_eq!(parcel.order, order());
    assert_eq!((parcel.bundle.len(), parcel.descriptors.len()), (abi::limits::BUNDLE_LEN_MAX, 1));
    assert!(matches!(tending.hear(), Told::Nothing));
    tending.serving();
    assert_eq!((ours.hear(), ours.hear()), (Heard::Serving, Heard::Nothing));
    ours.drain().unwrap();
    assert!(matches!(tending.hear(), Told::Drain));
    drop(ours);
    assert!(matches!(tending.hear(), Told::Gone));
}

#[test]
fn an_order_that_wants_other_descriptors_than_came_is_refused() {
    let (mut ours, theirs) = Supervised::pair().unwrap();
    ours.send(&order(), b"bundle", file().as_fd(), &[]).unwrap();
    assert!(matches!(Tending::receive(theirs), Err(ChannelFault::Malformed)));
}

#[test]
fn a_contests_descriptors_are_counted_with_the_others() {
    let contest = Some(crate::order::Contest { flag_address: 0x1000, word_address: 0x2000 });
    let files = crate::contest::Files::new(&[1; 32], &[2; 32], &[3; 32]).unwrap();
    let [flags, escape] = files.descriptors();
    let door = file();
    for (descriptors, is_whole) in
        [(&[door.as_fd(), flags, escape][..], true), (&[door.as_fd(), flags], false), (&[door.as_fd(), flags, escape, escape], false)]
    {
        let (mut ours, theirs) = Supervised::pair().unwrap();
        ours.send(&Order { contest, ..order() }, b"bundle", file().as_fd(), descriptors).unwrap();
        assert_eq!(Tending::receive(theirs).is_ok(), is_whole, "{}", descriptors.len());
    }
}

#[test]
fn lengths_out_of_bounds_are_refused_before_anything_is_allocated() {
    let (ours, theirs) = Supervised::pair().unwrap();
    ours.send_header(ORDER_LEN_MAX + 1, 0, &[file().as_fd()]).unwrap();
    assert!(matches!(Tending::receive(theirs), Err(ChannelFault::Malformed)));
}

#[test]
fn a_supervisor_that_says_nothing_is_no_parcel() {
    let (ours, theirs) = Supervised::pair().unwrap();
    drop(ours);
    assert!(Tending::receive(theirs).is_err());
}

/// Both ends of a channel whose parcel is through.
fn connected() -> (Supervised, Tending) {
    let (mut ours, theirs) = Supervised::pair().unwrap();
    let image = file();
    let door = file();
    ours.send(&order(), b"bundle", image.as_fd(), &[door.as_fd()]).unwrap();
    (ours, Tending::receive(theirs).unwrap().0)
}

fn update() -> Update {
    let backend = crate::order::Backend { guest: "100.64.0.1:80".parse().unwrap(), host: vec!["127.0.0.1:8080".parse().unwrap()] };
    Update { backends: vec![backend], linger_ms: 3, drain_ms: 4 }
}

#[test]
fn a_reload_arrives_with_its_update_however_large_its_bundle_is() {
    let (mut ours, mut tending) = connected();
    let bundle = vec![9; abi::limits::BUNDLE_LEN_MAX];
    ours.reload(&update(), &bundle).unwrap();
    let told = loop {
        ours.flush().unwrap();
        match tending.hear() {
            Told::Nothing => {}
            other => break other,
        }
    };
    let Told::Reload(got, secret) = told else { panic!("{told:?}") };
    assert_eq!(got, update());
    assert!(*secret == bundle && !ours.is_waiting());
    assert!(ours.reload(&update(), &vec![9; abi::limits::BUNDLE_LEN_MAX + 1]).is_err());
}

#[test]
fn answers_arrive_and_what_a_guest_says_is_made_printable() {
    let (mut ours, mut tending) = connected();
    tending.reloaded();
    tending.refused("no\x1b[2J");
    tending.status(&[0, 255, 7]);
    assert_eq!(ours.hear(), Heard::Reloaded);
    assert_eq!(ours.hear(), Heard::Refused("no\\u{1b}[2J".into()));
    assert_eq!(ours.hear(), Heard::Status(vec![0, 255, 7]));
    assert_eq!(ours.hear(), Heard::Nothing);
    ours.ask_status().unwrap();
    assert!(matches!(tending.hear(), Told::Status));
}

#[test]
fn a_reload_that_is_none_is_the_end_of_the_channel() {
    let (ours, mut tending) = connected();
    for body in [&[255, 0, 0, 0, 1][..], &[0, 0], &[0; 4]] {
        let len = u8::try_from(body.len()).unwrap();
        rustix::io::write(&ours, &[&[RELOAD, len, 0, 0, 0], body].concat()).unwrap();
        assert!(matches!(tending.hear(), Told::Gone), "{body:?}");
    }
}

/// Five questions in one turn: the last finds the mailbox full and is refused at once, ahead of four that wait. It is no answer to the first.
#[test]
fn a_refusal_that_overtakes_answers_is_whose_it_is() {
    let (mut ours, mut tending) = connected();
    let (mut inbox, mut outbox) = (vec![0; abi::limits::INBOX_WINDOW_LEN], vec![0; abi::limits::OUTBOX_WINDOW_LEN]);
    let mut mailbox = Mailbox::default();
    let last = u64::try_from(LETTERS_WAITING_MAX).unwrap();
    for number in 0..=last {
        ours.ask(Number(number), &Ask::Sign(format!("message {number}").into_bytes())).unwrap();
    }
    while let Told::Ask(number, ask) = tending.hear() {
        match mailbox.take(Letter::Contest(number, ask)) {
            Ok(()) => {}
            Err(Full(Letter::Contest(number, _))) => tending.answer(number, &Err("full".into())),
            Err(full) => panic!("{full:?}"),
        }
    }
    while mailbox.is_waiting() {
        mailbox.post(&mut inbox, &mut outbox);
        let message = queue::letter(&inbox).unwrap().unwrap().bytes.to_vec();
        queue::post(&mut outbox, abi::mailbox::DONE, |space| {
            space[..message.len()].copy_from_slice(&message);
            message.len()
        })
        .unwrap();
        let Some(Answer::Contest(number, answer)) = mailbox.answer(&mut inbox, &mut outbox) else { panic!("no answer") };
        tending.answer(number, &answer);
    }
    assert_eq!(ours.hear(), Heard::Answer(Number(last), Err("full".into())));
    for number in 0..last {
        assert_eq!(ours.hear(), Heard::Answer(Number(number), Ok(format!("message {number}").into_bytes())));
    }
    assert_eq!(ours.hear(), Heard::Nothing);
}

/// A supervisor that does not read for a while loses answers; those that come are still whose they are.
#[test]
fn an_answer_that_is_lost_moves_no_other() {
    let (mut ours, mut tending) = connected();
    let long = vec![7; ANSWER_LEN_MAX];
    // More than any socket and those that may wait behind it take.
    let told = 1000;
    (0..told).for_each(|number| tending.answer(Number(number), &Ok(long.clone())));
    let mut heard = Vec::new();
    loop {
        tending.flush();
        match ours.hear() {
            Heard::Answer(Number(number), Ok(bytes)) if bytes == long => heard.push(number),
            Heard::Nothing => break,
            other => panic!("{other:?}"),
        }
    }
    assert!(u64::try_from(heard.len()).unwrap() < told, "some were lost");
    tending.answer(Number(told), &Ok(b"after".to_vec()));
    assert_eq!(ours.hear(), Heard::Answer(Number(told), Ok(b"after".to_vec())));
    assert!(heard.is_sorted() && heard.first() == Some(&0));
}

#[test]
fn a_question_or_an_answer_that_is_too_short_is_none() {
    let (mut ours, mut tending) = connected();
    rustix::io::write(&tending, &[ASK, 8, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]).unwrap();
    assert_eq!(ours.hear(), Heard::Noise);
    assert!(ours.ask(Number(1), &Ask::Sign(vec![0; ANSWER_LEN_MAX + 1])).is_err());
    rustix::io::write(&ours, &[ASK, 9, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, ASK_PROVE]).unwrap();
    assert!(matches!(tending.hear(), Told::Gone));
}
