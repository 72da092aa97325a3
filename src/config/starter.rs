//! What `marquee init` writes: a small config that works at once and says what to try next.

/// The name under which editors look for the schema, beside the config.
pub const SCHEMA_FILE: &str = "marquee.schema.json";

/// The text of the starter config.
pub const STARTER: &str = include_str!("starter.yaml");

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Options, parse};

    #[test]
    fn the_starter_is_valid_and_leads_editors_to_the_schema() {
        assert!(STARTER.starts_with(&format!("# yaml-language-server: $schema={SCHEMA_FILE}\n")));
        let config = parse(STARTER, "marquee.yaml", std::path::Path::new(""), &Options::default());
        assert!(config.is_ok_and(|config| config.items.len() >= 3));
    }
}
