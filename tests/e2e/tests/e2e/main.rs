//! The end-to-end suite: every case on every machine and net, one after the other.
//!
//! A trial is named `machine/net/case`. What a host lacks is reported as ignored, with the reason on standard error, never as passed.
#![forbid(unsafe_code)]

mod backends;
mod certificates;
mod challenge;
mod clones;
mod demo;
mod floods;
mod fronts;
mod fuzzing;
mod groups;
mod hello;
mod hostile;
mod liveness;
mod memory;
mod opened;
mod reloads;
mod replays;
mod secrets;
mod seeing;
mod serving;
mod streams;
mod targets;
mod trouble;

use std::io::Write as _;
use std::process::ExitCode;
use std::thread;

use e2e::{Machine, Net, Outcome, Place};
use libtest_mimic::{Arguments, Failed, Trial};

use challenge::{bridging, changed, claims, doors, down, matrix, page, possession, sealed, siege};

/// A case: its name, and what it does in a place.
type Case = (&'static str, fn(&Place) -> Outcome);

const EVERYWHERE: &[Case] = &[
    ("sixty_four_mebibytes_each_way_at_once_are_exact", streams::echo_exact),
    ("a_thousand_connections_each_get_their_own_answer", streams::thousand_answers),
    ("client_half_closes_and_still_receives", streams::client_half_closes),
    ("backend_half_closes_and_still_receives", streams::backend_half_closes),
    ("hello_byte_by_byte_is_accepted", hello::byte_by_byte),
    ("hello_over_many_records_is_accepted", hello::many_records),
    ("plain_http_gets_an_alert", hello::plain_http),
    ("openssl_gets_x25519", groups::openssl_gets_x25519),
    ("hybrid_client_gets_x25519mlkem768", groups::hybrid),
    ("tls_1_1_is_refused_with_protocol_version", groups::tls11_refused),
    ("rsa_key_exchange_is_refused_with_handshake_failure", groups::rsa_refused),
    ("stalled_reader_blocks_only_itself", liveness::stalled_reader),
    ("many_stalled_readers_stay_within_the_heap", memory::stalled_readers),
    ("slow_hellos_displace_each_other_and_nobody_else", floods::slow_hellos),
    ("half_open_handshakes_displace_each_other_and_nobody_else", floods::half_open_handshakes),
    ("silent_clients_are_reset_at_the_limit_of_the_first_byte", floods::silent_clients),
    ("refused_backend_is_a_clean_close", trouble::refused),
    ("reset_backend_is_a_clean_close_and_the_next_connection_works", trouble::reset),
    ("backends_of_a_route_take_turns", serving::backends_in_turn),
    ("access_record_says_what_was_agreed", serving::access_record),
    ("metrics_move_as_they_should", seeing::metrics),
    ("reached_limit_is_counted", seeing::limits),
    ("proxy_headers_byte_by_byte_are_believed", fronts::headers_are_believed),
    ("listed_front_end_must_send_a_header", fronts::listed_must_send),
    ("proxy_header_of_others_is_not_tls", fronts::others_must_not),
    ("backends_hear_each_kind_of_proxy_header", fronts::backends_are_told),
    ("tls_passes_through_to_openssl", fronts::openssl_behind),
    ("protocol_passes_where_others_end", fronts::protocols_part),
    ("recorded_session_replays_with_every_frame_identical", replays::session),
    ("killed_tender_is_restarted", trouble::killed_tender),
    ("sigterm_ends_with_code_0_within_2_s", trouble::sigterm),
    ("contest_lets_in_openssl_and_rustls_at_each_door_and_gives_what_it_promised", doors::prizes),
    ("contest_lets_itself_in_over_a_bridge_and_nobody_over_one_that_changes_a_byte", bridging::lets_itself_in),
    ("contest_lets_no_stranger_in", doors::strangers),
];

const ON_TAP: &[Case] = &[
    ("spoofed_syns_leave_nothing_and_block_nobody", liveness::spoofed_syns),
    ("secrets_stay_inside_and_do_not_outlive_their_session", secrets::stay_inside),
];

const ON_USER: &[Case] = &[
    ("client_certificates_are_asked_for_and_enforced", certificates::enforced),
    ("client_certificates_are_told_to_the_backend", certificates::told_to_the_backend),
    ("tickets_do_not_lead_past_client_certificates", certificates::no_way_round),
    ("boxes_with_one_ticket_key_resume_each_others_sessions", certificates::shared_tickets),
    ("cells_share_no_randomness", clones::share_nothing),
    ("rsa_and_ecdsa_certificates_go_to_who_can_verify_them", certificates::both_kinds),
    ("profile_suites_and_groups_are_what_is_spoken", certificates::profiles),
    ("demo_answers_curl_openssl_gnutls_and_rustls", demo::answers),
    ("status_is_a_table_and_json", seeing::status),
    ("admin_doors_let_in_whom_they_should", seeing::doors),
    ("readiness_turns_with_a_drain", seeing::ready_turns_with_a_drain),
    ("reload_takes_effect_whole_or_not_at_all", reloads::whole_or_not_at_all),
    ("watched_files_are_taken_by_themselves", reloads::watched_files),
    ("reloads_under_load_break_nothing_and_mix_nothing", reloads::under_load),
    ("restarts_are_seen", seeing::restarts),
    ("recordings_that_were_changed_are_refused_and_cut_ones_replayed", replays::refusals),
    ("recorded_messages_are_told", replays::messages),
    ("recorded_secrets_are_those_that_curl_wrote_down", opened::secrets),
    ("recorded_load_comes_again_with_secrets", opened::load),
    ("image_that_gives_secrets_away_is_for_replay_alone", opened::refusals),
    ("crashes_replay_to_the_same_report", replays::crashes),
    ("recording_that_is_full_ends_and_the_box_goes_on", replays::bound),
    ("access_log_goes_to_a_file_as_json", seeing::access_file),
    ("all_lines_are_json_when_asked_for", seeing::all_lines_are_json),
    ("demo_needs_no_root", demo::unprivileged),
    ("two_listeners_of_both_families_answer", serving::two_listeners),
    ("machine_of_the_command_line_wins", serving::machine_of_the_command_line),
    ("backend_that_refuses_is_passed_over_and_every_request_succeeds", backends::refused_is_passed_over),
    ("backend_dies_and_comes_back_and_no_request_is_lost", backends::dies_and_comes_back),
    ("backend_that_hangs_is_found_by_its_check", backends::hangs),
    ("backend_that_is_unwell_is_found_by_its_http_check", backends::is_unwell),
    ("backend_that_resets_is_told_apart_from_one_that_ends", backends::resets),
    ("all_backends_die_and_one_comes_back", backends::all_die),
    ("all_backends_die_unchecked_and_one_comes_back", backends::all_die_unchecked),
    ("backend_that_is_full_is_waited_for", backends::is_full),
    ("fuzzed_image_is_sound_and_brought_back", fuzzing::is_brought_back),
    ("fuzzed_image_that_crashes_is_told", fuzzing::crash_is_told),
    ("fuzzing_without_an_input_or_image_is_refused", fuzzing::refusals),
    ("target_serves_real_clients", targets::serves),
    ("target_of_ones_own_with_an_rsa_key_leaks_nothing_in_tls_1_2", targets::rsa_is_served),
    ("target_gives_the_same_answer_in_every_session_and_process", targets::sessions_are_alike),
    ("target_keeps_what_did_harm_and_it_does_so_again", targets::harm_is_kept),
    ("target_of_ones_own_is_tried_again_by_its_clock", targets::harm_is_done_again_by_the_clock),
    ("target_says_at_a_second_channel_whether_it_lives", targets::liveness),
    ("target_ends_with_its_fuzzer", targets::fuzzers),
    ("target_hears_what_came_before_its_end", targets::arrived),
    ("target_keeps_what_it_finds_by_asking", targets::asked),
    ("target_has_the_room_that_is_written_down", targets::room),
    ("target_rests_when_its_guest_is_no_more", targets::rests),
    ("target_tells_what_it_found_whatever_comes_after", targets::broken_off),
    ("target_writes_over_nothing_that_another_run_has_found", targets::runs_side_by_side),
    ("target_is_what_the_action_runs", targets::action),
    ("hostile_guest_is_reported_and_ends_with_code_18", hostile::reports),
    ("hostile_guest_is_reported_as_json", hostile::reports_as_json),
    ("hostile_guest_is_restarted_with_back_off", hostile::back_off),
    ("restart_follows_the_policy", hostile::policies),
    ("listeners_stay_open_over_a_crash", hostile::listeners_stay_open),
    ("good_guest_that_goes_bad_while_serving_is_replaced", hostile::good_guest_goes_bad),
    ("contest_calls_back_who_knocked_and_nobody_else", doors::calls_back),
    ("contest_takes_exactly_the_certificates_that_were_meant", matrix::of_all_exactly_those_that_were_meant),
    ("contest_serves_its_page_from_a_jail_that_may_end", page::is_jailed_and_comes_back),
    ("contest_proves_that_it_has_its_flags", possession::proven),
    ("contest_has_a_log_that_grows_and_holds", claims::log_grows),
    ("contest_judges_claims_and_logs_those_that_hold", claims::judged),
    ("contest_whose_rules_change_tells_so_and_keeps_its_word", changed::is_told),
    ("contest_records_a_killed_cell_and_names_nobody", down::is_recorded),
    ("contest_goes_on_in_its_log_whatever_ended_the_box", down::log_goes_on),
    ("contest_in_earnest_has_no_key_of_an_authority_and_runs_its_own_image_alone", sealed::runs),
    ("contest_stands_a_siege_within_its_bounds", siege::stands),
    ("contest_with_a_damaged_folder_is_refused_by_the_files_name", sealed::damage_is_named),
];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // One box at a time: the cases measure memory and liveness.
    arguments.test_threads = Some(1);
    let mut trials = Vec::new();
    for machine in [Machine::Kvm, Machine::Process] {
        for net in [Net::User, Net::Tap] {
            let own = if net == Net::Tap { ON_TAP } else { ON_USER };
            trials.extend(EVERYWHERE.iter().chain(own).map(|case| trial(machine, net, *case)));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn trial(machine: Machine, net: Net, (name, case): Case) -> Trial {
    let missing = machine.missing().or(net.missing());
    if let Some(reason) = missing {
        let _ = writeln!(std::io::stderr(), "skipped: {reason}: {}/{}/{name}", machine.name(), net.name());
    }
    Trial::test(format!("{}/{}/{name}", machine.name(), net.name()), move || in_place(machine, net, case))
        .with_ignored_flag(missing.is_some())
}

/// Runs a case on a thread of its own, as a TAP's place moves the thread into a namespace.
fn in_place(machine: Machine, net: Net, case: fn(&Place) -> Outcome) -> Result<(), Failed> {
    let outcome = thread::spawn(move || case(&Place::new(machine, net)?)).join();
    match outcome {
        Ok(Ok(())) => Ok(()),
        Ok(Err(fault)) => Err(fault.to_string().into()),
        Err(_) => Err("the case panicked".into()),
    }
}
