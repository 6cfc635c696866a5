//! Lets the generated Kotlin cross to Rust as `bindings/kotlin/src/main/kotlin/app/carboy/Crossing.kt` says: through
//! UniFFI's functions over elements, in the place of structures that JNA passes by value; and keeps the threads of Rust's
//! that call back.

use anyhow::{Context, Result, ensure};
use std::fmt::Write as _;

/// How the declaration of a function begins, its last parameter where it says how it ended, and the line behind it up
/// to the type of what is returned.
const FUNCTION: &str = "    external fun uniffi_";
const STATUS: &str = "uniffi_out_err: UniffiRustCallStatus, ";
const RETURNED: &str = "    ): ";

/// A buffer as a structure of JNA's, which callbacks are still given, and as a plain object.
const BUFFER: [&str; 2] = ["RustBuffer.ByValue", "RustBytes"];

/// What a line holds that is about the converters, which know plain buffers alone.
const CONVERTERS: [&str; 6] = [
    ", RustBuffer.ByValue>",
    "fun lift(value: ",
    "fun lower(value: ",
    "IntoRustBuffer(value: ",
    "FromRustBuffer(rbuf: ",
    "lowerError: (E) -> ",
];

/// Other things that read in another way then.
const PLACES: [[&str; 2]; 11] = [
    // How a buffer is asked for, and given back.
    [
        "uniffiRustCall() { status ->
            // Note: need to convert the size to a `Long` value to make this work with JVM.
            UniffiLib.ffi_carboy_rustbuffer_alloc(size.toLong(), status)
        }.also {",
        "Crossing.alloc(size.toLong()).also {",
    ],
    [
        "internal fun free(buf: RustBuffer.ByValue) = uniffiRustCall() { status ->
            UniffiLib.ffi_carboy_rustbuffer_free(buf, status)
        }",
        "internal fun free(buf: RustBuffer.ByValue) = free(buf.bytes())

        internal fun free(buf: RustBytes) = Crossing.free(buf)",
    ],
    [
        "    external fun ffi_carboy_rustbuffer_alloc(",
        "    external fun carboy_buffer_alloc(size: Long, buffer: Pointer)
    external fun carboy_buffer_free(buffer: Pointer)
    external fun ffi_carboy_rustbuffer_alloc(",
    ],
    ["rbuf.writeField(\"len\", bbuf.position().toLong())", "rbuf.len = bbuf.position().toLong()"],
    // What callbacks answer.
    [
        "callStatus.error_buf = FfiConverterString.lower(err)",
        "callStatus.error_buf = FfiConverterString.lower(err).structure()",
    ],
    ["callStatus.error_buf = lowerError(e)", "callStatus.error_buf = lowerError(e).structure()"],
    ["FfiConverterString.lower(e.toString()),", "FfiConverterString.lower(e.toString()).structure(),"],
    ["FfiConverterString.lower(returnValue),", "FfiConverterString.lower(returnValue).structure(),"],
    ["lowerError(e),", "lowerError(e).structure(),"],
    // How a call failed, and an object's handle, which is taken for each call.
    [
        "private fun<E: kotlin.Exception> uniffiCheckCallStatus",
        "internal fun<E: kotlin.Exception> uniffiCheckCallStatus",
    ],
    [
        "return uniffiRustCall() { status ->
            UniffiLib.uniffi_carboy_fn_clone_",
        "return crossing { status ->
            UniffiLib.uniffi_carboy_fn_clone_",
    ],
];

/// Fails where another version of UniFFI reads in another way, so that this is looked at again; what it does not see,
/// Kotlin's compiler does.
pub(crate) fn cross(kotlin: &str) -> Result<String> {
    let mut text = String::with_capacity(kotlin.len());
    let (mut declared, mut called, mut called_back) = (0, 0, 0);
    let mut lines = kotlin.lines();
    while let Some(line) = lines.next() {
        if let Some(function) = line.strip_prefix(FUNCTION).filter(|function| has_elements(function)) {
            let returned = lines.next().and_then(|line| line.strip_prefix(RETURNED));
            text += &returned
                .and_then(|returned| declaration(function, returned))
                .with_context(|| format!("cannot read {line:?}"))?;
            declared += usize::from(function.ends_with(STATUS) && !function.contains("_fn_clone_"));
        } else if let Some(call) = line.strip_suffix("{ _status ->") {
            let call = call.replace("uniffiRustCallWithError(", "crossing(");
            text += &call.replace("uniffiRustCall()", "crossing");
            text += "{ _status ->\n";
            called += 1;
        } else if is_callback(line) {
            writeln!(text, "{line}\n        init {{ keepsThread(this) }}\n")?;
            called_back += 1;
        } else {
            let is_converter = CONVERTERS.iter().any(|part| line.contains(part));
            text += &if is_converter { line.replace(BUFFER[0], BUFFER[1]) } else { line.to_owned() };
            text.push('\n');
        }
    }
    ensure!(declared == called && called > 0, "{declared} functions are declared and {called} called");
    ensure!(called_back > 0, "no callback is declared");
    for [theirs, ours] in PLACES {
        ensure!(text.contains(theirs), "nowhere: {theirs}");
        text = text.replace(theirs, ours);
    }
    Ok(text)
}

/// Whether there is the same function over elements, or one that takes a structure only to say how it ended.
fn has_elements(function: &str) -> bool {
    ["_fn_method_", "_fn_func_", "_fn_constructor_", "_fn_clone_"].iter().any(|kind| function.contains(kind))
}

/// Whether an object begins here that Rust calls.
fn is_callback(line: &str) -> bool {
    let object =
        line.trim_start().strip_prefix("internal object ").and_then(|object| object.split_once(": "));
    object.is_some_and(|(_, interface)| interface.starts_with("Uniffi") && interface.ends_with(" {"))
}

/// The function over elements, by its old name and parameters.
fn declaration(function: &str, returned: &str) -> Option<String> {
    let (name, parameters) = function.split_once('(')?;
    let takes = parameters.trim_end_matches(STATUS).replace(BUFFER[0], BUFFER[1]);
    if name.contains("_fn_clone_") {
        return Some(format!(
            "    fun uniffi_{name}({takes}crossing: Crossing): Long = uniffi_{name}(handle, crossing.status())
    external fun uniffi_{name}({takes}status: Pointer): Long\n"
        ));
    }
    let crossing = if parameters.ends_with(STATUS) { "" } else { " = Crossing.ofThisThread()" };
    let puts =
        takes.split_terminator(',').map(|parameter| Some(format!(".put({})", parameter.split_once(':')?.0)));
    let puts = puts.collect::<Option<String>>()?;
    let returned = returned.replace(BUFFER[0], BUFFER[1]);
    let result = match returned.as_str() {
        "RustBytes" => "return crossing.end().bytes()",
        "Long" => "return crossing.end().long()",
        "Unit" => "crossing.end()",
        _ => return None,
    };
    Some(format!(
        "    fun uniffi_{name}({takes}crossing: Crossing{crossing}): {returned} {{
        crossing.begin(){puts}
        uniffi_ffibuffer_{name}(crossing.arguments, crossing.returned)
        {result}
    }}
    external fun uniffi_ffibuffer_{name}(arguments: Pointer, returned: Pointer)\n"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A function as UniFFI declares it, without the line of its type.
    const CASH: &str = "carboy_fn_method_carboy_cash(`ptr`: Long,`amount`: RustBuffer.ByValue,uniffi_out_err: UniffiRustCallStatus, ";

    #[test]
    fn a_function_hands_over_its_arguments_as_elements() {
        let text = declaration(CASH, "RustBuffer.ByValue").unwrap();
        assert_eq!(
            text,
            "    fun uniffi_carboy_fn_method_carboy_cash(`ptr`: Long,`amount`: RustBytes,crossing: Crossing): RustBytes {
        crossing.begin().put(`ptr`).put(`amount`)
        uniffi_ffibuffer_carboy_fn_method_carboy_cash(crossing.arguments, crossing.returned)
        return crossing.end().bytes()
    }
    external fun uniffi_ffibuffer_carboy_fn_method_carboy_cash(arguments: Pointer, returned: Pointer)\n"
        );
    }

    #[test]
    fn what_another_version_generates_is_refused() {
        assert_eq!(declaration(CASH, "Short"), None);
        let declared = format!("{FUNCTION}{CASH}\n{RETURNED}Unit\n");
        let error = cross(&declared).unwrap_err();
        assert_eq!(error.to_string(), "1 functions are declared and 0 called");
        let called = format!("{declared}uniffiRustCall() {{ _status ->\n");
        assert_eq!(cross(&called).unwrap_err().to_string(), "no callback is declared");
        let error = cross(&format!("{called}    internal object free: UniffiCallbackFree {{\n")).unwrap_err();
        assert!(error.to_string().starts_with("nowhere: uniffiRustCall() { status ->"), "{error}");
    }
}
