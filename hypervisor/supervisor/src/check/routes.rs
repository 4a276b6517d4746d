//! Routes against certificates: every name covered, every certificate of use.

use core::mem::discriminant;

use keys::bundle::Mode;
use keys::names::covers;

use super::Material;
use crate::config::{Config, RouteWords};
use crate::report::Report;
use crate::rule::Rule;

/// Which certificates a route may choose from: none where TLS passes through, all for the default route, else those that cover one of its names.
pub(crate) fn certificates_of(route: &RouteWords, materials: &[Material]) -> Vec<usize> {
    if route.mode == Mode::Passthrough {
        return Vec::new();
    }
    let serves = |material: &Material| route.sni.is_empty() || route.sni.iter().any(|name| covers_name(material, &name.value));
    (0..materials.len()).filter(|&index| materials.get(index).is_some_and(serves)).collect()
}

pub(super) fn check(config: &Config, materials: &[Material], report: &mut Report) {
    let terminating = config.routes.iter().filter(|route| route.mode == Mode::Terminate);
    for name in terminating.flat_map(|route| &route.sni) {
        if !materials.iter().any(|material| covers_name(material, &name.value)) {
            report.add(Rule::RouteNotCovered, &name.place, format!("no certificate covers {}", name.value));
        }
    }
    for (index, material) in materials.iter().enumerate() {
        let used = config.routes.iter().any(|route| certificates_of(route, materials).contains(&index));
        if !used {
            report.add(Rule::CertificateUnused, &material.place, "no route uses this certificate");
        }
        if let Some(first) = materials.iter().take(index).find(|first| shadows(first, material)) {
            report.add(Rule::CertificateShadowed, &material.place, format!("has the same names and kind of key as {}", first.place.field));
        }
    }
}

fn covers_name(material: &Material, name: &str) -> bool {
    material.certificate.names.iter().any(|pattern| covers(pattern, name))
}

fn shadows(first: &Material, second: &Material) -> bool {
    let sorted = |material: &Material| {
        let mut names = material.certificate.names.clone();
        names.sort();
        names
    };
    let names = sorted(first);
    !names.is_empty() && names == sorted(second) && discriminant(&first.kind) == discriminant(&second.kind)
}
