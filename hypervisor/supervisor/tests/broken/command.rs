//! The command as scripts see it: exit codes, streams, `--json`, and what OpenSSL says of what it mints.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use crate::bench::Bench;

#[test]
fn minted_chains_pass_check_and_openssl_for_every_kind_of_key() {
    for kind in ["p256", "p384", "ed25519"] {
        let bench = Bench::new();
        let minted = bench.run(&["mint", "localhost", "::1", "*.example.org", "--key", kind, "--dir", "pki", "--force"]);
        assert_eq!(minted.code, Some(0), "{}", minted.stderr);
        assert_eq!(minted.stdout, "pki/ca.pem\npki/ca.key.pem\npki/chain.pem\npki/key.pem\n");
        let checked = bench.run(&["check"]);
        assert_eq!((checked.code, checked.stdout.as_str()), (Some(0), "bountybox.toml: all is well\n"), "{kind}");
        bench.openssl("verify -x509_strict -purpose sslserver -verify_hostname www.example.org -CAfile pki/ca.pem pki/chain.pem");
        bench.openssl("verify -x509_strict -purpose sslserver -verify_ip ::1 -CAfile pki/ca.pem pki/chain.pem");
        bench.openssl("pkey -in pki/key.pem -check -noout");
        bench.openssl("pkey -in pki/ca.key.pem -check -noout");
    }
}

#[test]
fn keys_that_openssl_made_pass_check_in_every_form() {
    let makes = [
        ("-newkey rsa:2048", "rsa -traditional"),
        ("-newkey ec -pkeyopt ec_paramgen_curve:P-256", "ec"),
        ("-newkey ec -pkeyopt ec_paramgen_curve:P-384", "ec"),
        ("-newkey ed25519", "pkey"),
    ];
    for (make, traditional) in makes {
        let bench = Bench::new();
        let rest = "-nodes -keyout pki/key.pem -out pki/chain.pem -subj /CN=x -days 30 -addext subjectAltName=DNS:localhost -addext basicConstraints=critical,CA:FALSE";
        bench.openssl(&format!("req -x509 {make} {rest}"));
        assert_eq!(bench.run(&["check"]).code, Some(0), "{make} as PKCS#8");
        bench.openssl(&format!("{traditional} -in pki/key.pem -out pki/traditional.pem"));
        bench.edit("pki/key.pem", "pki/traditional.pem");
        let checked = bench.run(&["check"]);
        assert_eq!(checked.code, Some(0), "{make} as {traditional}: {}", checked.stdout);
    }
}

#[test]
fn mint_writes_over_nothing_unless_forced() {
    let bench = Bench::new();
    let before = bench.read("pki/key.pem");
    let again = bench.run(&["mint", "localhost", "--dir", "pki"]);
    assert_eq!(again.code, Some(17));
    assert!(again.stderr.contains("pki/ca.pem stands there already") && again.stderr.contains("--force"), "{}", again.stderr);
    assert_eq!(bench.read("pki/key.pem"), before);
    assert_eq!(bench.run(&["mint", "localhost", "--dir", "pki", "--force"]).code, Some(0));
    assert_ne!(bench.read("pki/key.pem"), before);
}

#[test]
fn mint_refuses_names_that_are_none() {
    for name in ["a b", "http://a", "*", "a\u{1b}[31m"] {
        let ran = Bench::new().run(&["mint", name, "--dir", "other"]);
        assert_eq!(ran.code, Some(2), "{name:?}");
        assert!(ran.stderr.contains("neither a host name nor an IP address") && !ran.stderr.contains('\u{1b}'), "{}", ran.stderr);
    }
}

#[test]
fn the_json_of_check_is_the_documented_one() {
    let bench = Bench::new();
    let good = bench.run(&["check", "--json"]);
    assert_eq!(good.stdout, "{\"errors\":0,\"exit_code\":0,\"findings\":[],\"ok\":true,\"version\":1,\"warnings\":0}\n");
    bench.edit("mode", "moed");
    fs::set_permissions(bench.path("pki/key.pem"), fs::Permissions::from_mode(0o604)).expect("changed");
    let bad = bench.run(&["check", "--json"]);
    assert_eq!(bad.code, Some(10));
    let json: serde_json::Value = serde_json::from_str(&bad.stdout).expect("JSON");
    assert_eq!((&json["ok"], &json["errors"], &json["warnings"]), (&false.into(), &1.into(), &1.into()));
    let expected = serde_json::json!({
        "code": "unknown-key", "severity": "error", "file": "bountybox.toml", "line": 5, "field": "net.moed",
        "message": "unknown key; did you mean `mode`?", "advice": "remove the key or correct its name",
    });
    assert_eq!(json["findings"][0], expected);
    assert_eq!(json["findings"][1]["code"], "key-readable-by-others");
    assert_eq!(json["findings"][1]["line"], serde_json::Value::Null);
}

#[test]
fn a_wrong_command_line_is_usage_and_help_is_a_result() {
    let bench = Bench::new();
    for arguments in [&["fly"][..], &["run", "--confg", "x"], &["mint"], &["mint", "a", "--days", "0"], &["check", "extra"]] {
        let ran = bench.run(arguments);
        assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{arguments:?}");
        assert!(ran.stderr.contains("--help"), "{}", ran.stderr);
    }
    let help = bench.run(&["--help"]);
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""));
    for part in ["Examples:", "bountybox demo", "Exit codes:", "20  More than one kind"] {
        assert!(help.stdout.contains(part), "{part}");
    }
    assert!(!help.stdout.contains("\n  tender"), "tender is hidden");
}

#[test]
fn a_reader_that_has_gone_changes_no_exit_code() {
    let bench = Bench::new();
    bench.edit("mode", "moed");
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_bountybox"));
    let status = command.args(["check"]).current_dir(bench.path("")).stdout(writer).stderr(Stdio::null()).status();
    assert_eq!(status.expect("runs").code(), Some(10));
}

#[test]
fn images_that_are_none_end_with_the_code_for_images() {
    let bench = Bench::new();
    bench.write("empty.elf", "");
    bench.write("text.elf", "no image at all");
    bench.write("cut.elf", b"\x7fELF\x02\x01\x01");
    let command = std::fs::read(env!("CARGO_BIN_EXE_bountybox")).expect("readable");
    bench.write("half.elf", &command[..command.len().min(1 << 20) / 2]);
    let refused = |arguments: &[&str], image: &str| {
        let ran = bench.run(arguments);
        assert_eq!(ran.code, Some(13), "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(image) && ran.stderr.contains("advice: "), "{}", ran.stderr);
    };
    for image in ["missing.elf", "empty.elf", "text.elf", "cut.elf", "half.elf", "pki"] {
        refused(&["inspect", image], image);
    }
    for image in ["missing.elf", "empty.elf", "text.elf", "cut.elf", "half.elf", "pki"] {
        refused(&["run", "--image", image], image);
    }
}
