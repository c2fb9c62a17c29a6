# checked.sh: for scripts that run C tests under a checker. Sourced from the project's directory; counts what
# it is told and ends with "N passed, N failed, N skipped".
passed=0 failed=0

# need PROGRAM WHAT: exit status 3, cannot run here, without it.
need() { command -v "$1" >/dev/null || { echo "no $2"; exit 3; }; }

# build_with_tsan COMPILER LIBDIR BUILD [CMAKE-ARGUMENT...]: prepares the C tests with ThreadSanitizer.
build_with_tsan() {
    local cc=$1 libdir=$2 build=$3 cxx=g++
    shift 3
    [ "$cc" = gcc ] || cxx=clang++
    CC=$cc CXX=$cxx cmake -S c-tests -B "$build" -DNATS_LIB_DIR="$libdir" -DNATS_INCLUDE_DIR="$PWD/include" \
        -DCMAKE_C_FLAGS=-fsanitize=thread -DCMAKE_CXX_FLAGS=-fsanitize=thread "$@" >/dev/null
    export NATS_STRESS_SANITIZED=1
    # Threads that have ended are joined later, or by the process's end.
    export TSAN_OPTIONS="exitcode=66 report_thread_leaks=0 ${TSAN_OPTIONS:-}"
}

# check NAME COMMAND...: one test.
check() {
    local name=$1
    shift
    if "$@"; then
        passed=$((passed + 1)); echo "ok $name"
    else
        failed=$((failed + 1)); echo "FAIL $name"
    fi
}

# check_tests BUILD TEST...: builds and runs them. Every test is a process of its own: its reports make it
# fail.
check_tests() {
    local build=$1 test
    shift
    for test in "$@"; do
        cmake --build "$build" --target "test_$test" >/dev/null || { failed=$((failed + 1)); continue; }
        check "$test" "$build/bin/$test"
    done
}

# race_is_found TEXT COMMAND...: whether the checker still reports a race of the program's own with that text.
# A lock of the library may order the two threads by chance, so it is tried some times.
race_is_found() {
    local text=$1 report
    shift
    for _ in 1 2 3 4 5 6 7 8; do
        report=$(NATS_HANDOVER_RACE=1 "$@" closure_and_reply 2>&1 || true)
        if grep -q "$text" <<<"$report"; then return 0; fi
    done
    echo "$report"
    return 1
}

summary() {
    echo "$passed passed, $failed failed, 0 skipped"
    [ "$failed" = 0 ]
}
