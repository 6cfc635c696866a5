//! Writes the Kotlin and Swift sides of the bindings from the compiled library: `bindgen LIBRARY CONFIG KOTLIN SWIFT`,
//! where KOTLIN is a source root and SWIFT a folder of Swift targets. `cargo xtask bindings` calls it.

use anyhow::{Result, bail};
use uniffi_bindgen::bindings::{
    GenerateOptions, SwiftBindingsOptions, TargetLanguage, generate, generate_swift_bindings,
};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [library, config, kotlin, swift] = arguments.as_slice() else {
        bail!("usage: bindgen LIBRARY CONFIG KOTLIN SWIFT, got {arguments:?}");
    };
    generate(GenerateOptions {
        languages: vec![TargetLanguage::Kotlin],
        source: library.into(),
        config_override: Some(config.into()),
        out_dir: kotlin.into(),
        ..Default::default()
    })?;
    let swift_options = |folder: &str| SwiftBindingsOptions {
        source: library.into(),
        config: Some(config.into()),
        out_dir: format!("{swift}/{folder}").into(),
        ..Default::default()
    };
    generate_swift_bindings(SwiftBindingsOptions {
        generate_swift_sources: true,
        ..swift_options("CarboyBindings")
    })?;
    generate_swift_bindings(SwiftBindingsOptions {
        generate_headers: true,
        generate_modulemap: true,
        module_name: Some("CarboyFFI".into()),
        modulemap_filename: Some("module.modulemap".into()),
        ..swift_options("CarboyFFI")
    })
}
