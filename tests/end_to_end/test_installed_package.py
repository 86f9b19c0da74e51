"""What `cmake --install` leaves is all that other people's programs need, from C and from C++, by pkg-config and by CMake."""

import os
import pathlib
import re
import subprocess

import pytest

import programs

C_PROGRAM = """
#include <eddy.h>
static struct eddy_name step = EDDY_NAME("package.step");
int main(void)
{
    eddy_end(eddy_begin(&step), EDDY_OK);
    return eddy_shutdown(10000);
}
"""

# Every call of the header, so that each inline function is compiled as C++.
CPP_PROGRAM = """
#include <eddy.h>
#include <cstdlib>
namespace {
eddy_name request = EDDY_NAME("package.request");
eddy_name key = EDDY_NAME("size");
eddy_name loop = EDDY_NAME("package.loop");
eddy_name minor = EDDY_NAME("package.gc.minor");
eddy_name level = EDDY_METRIC("package.level", "1");
eddy_queue queue = EDDY_QUEUE("package.queue", 8);
}
int main()
{
    static_assert(sizeof(eddy_name) == 32, "part of the binary interface");
    if (eddy_start() != 0) {
        return EXIT_FAILURE;
    }
    const auto begin = eddy_begin;
    uint64_t operation = begin(&request);
    uint64_t child = eddy_begin_child(&request, operation);
    uint64_t late = eddy_begin_at(&request, eddy_now_ns());
    uint64_t queued = eddy_begin_queued(&request, &queue);
    eddy_state(queued, EDDY_RUNNING);
    eddy_enqueue(queued, &queue);
    eddy_set_u64(operation, &key, 1);
    eddy_set_i64(operation, &key, -1);
    eddy_set_f64(operation, &key, 0.5);
    eddy_set_bool(operation, &key, 1);
    eddy_set_text(operation, &key, "text");
    eddy_gauge(&level, 3);
    eddy_gauge_f64(&level, 0.25);
    eddy_count(&level, 2);
    eddy_mark(&request);
    eddy_record(&request, eddy_now_ns(), 1000, EDDY_TIMEOUT);
    uint64_t iteration = eddy_loop_begin(&loop);
    eddy_gc_end(eddy_gc_begin(&minor));
    eddy_loop_end(iteration);
    eddy_end(child, EDDY_OK);
    eddy_end(late, EDDY_CANCELLED);
    eddy_end(queued, EDDY_ERROR);
    eddy_end(operation, EDDY_OK);
    if (eddy_name_intern("x") != eddy_name_intern("x") || eddy_metric_intern("y", "By") == nullptr ||
        eddy_queue_intern("z", 4) == nullptr) {
        return EXIT_FAILURE;
    }
    struct eddy_stats stats = {};
    stats.size_bytes = sizeof(stats);
    int flushed = eddy_flush(10000);
    return ::eddy_stats(&stats) == 0 && stats.produced >= 5 && eddy_shutdown(10000) == flushed ? EXIT_SUCCESS : EXIT_FAILURE;
}
"""

CMAKE_LISTS = """
cmake_minimum_required(VERSION 3.25)
project(user CXX)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_CXX_EXTENSIONS OFF)
find_package(eddy 0.1 REQUIRED)
add_executable(user user.cpp)
target_compile_options(user PRIVATE -Wall -Wextra -Wpedantic -Werror)
target_link_libraries(user PRIVATE eddy::eddy)
"""


def run(*command, **options):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module", name="prefix")
def installed(tmp_path_factory):
    if programs.SANITIZED:
        pytest.skip("a library built with a sanitizer is nothing to install")
    folder = tmp_path_factory.mktemp("prefix")
    run("cmake", "--install", programs.BUILD_DIR, "--prefix", folder)
    return folder


def library_folder(prefix):
    return next(prefix.rglob("libeddy.so")).parent


def test_a_c_program_by_pkg_config(prefix, tmp_path):
    source = tmp_path / "user.c"
    source.write_text(C_PROGRAM)
    variables = {**os.environ, "PKG_CONFIG_PATH": str(library_folder(prefix) / "pkgconfig")}
    flags = run("pkg-config", "--cflags", "--libs", "eddy", env=variables).split()
    run("gcc", "-std=c11", "-Wall", "-Wextra", "-Werror", source, "-o", tmp_path / "user", *flags)
    check_that_it_is_recorded(tmp_path / "user", prefix, tmp_path)


def test_a_cpp17_program_by_cmake(prefix, tmp_path):
    (tmp_path / "user.cpp").write_text(CPP_PROGRAM)
    (tmp_path / "CMakeLists.txt").write_text(CMAKE_LISTS)
    run("cmake", "-S", tmp_path, "-B", tmp_path / "build", f"-DCMAKE_PREFIX_PATH={prefix}")
    run("cmake", "--build", tmp_path / "build")
    check_that_it_is_recorded(tmp_path / "build/user", prefix, tmp_path)


def check_that_it_is_recorded(program, prefix, folder):
    """With the installed collector, as a user would."""
    collector = prefix / "bin/eddy-collector"
    variables = {**os.environ, "LD_LIBRARY_PATH": str(library_folder(prefix))}
    run(collector, "record", "-o", folder / "traces", "--", program, env=variables)
    report = run(prefix / "bin/eddy-analyzer", "report", folder / "traces", env=variables)
    assert "package." in report


def test_only_our_names_are_exported(prefix):
    symbols = run("nm", "-D", "--defined-only", library_folder(prefix) / "libeddy.so")
    names = {line.split()[-1].split("@")[0] for line in symbols.splitlines()}
    header = (programs.SOURCE_DIR / "collector/client/eddy.h").read_text()
    public = set(re.findall(r"EDDY_EXPORTED\((eddy_\w+)\)", header))
    public |= set(re.findall(r"^(?:int|uint64_t|struct eddy_name|struct eddy_queue) \*?(eddy_(?!exported)\w+)\(", header, re.M))
    public |= {"eddy_recording"}
    assert names - {n for n in names if re.fullmatch(r"EDDY_\d+(\.\d+)*", n)} == public


def test_the_soname_is_that_of_version_0(prefix):
    dynamic = run("readelf", "-d", library_folder(prefix) / "libeddy.so")
    assert "Library soname: [libeddy.so.0]" in dynamic
    assert "NODELETE" in dynamic


def test_the_header_compiles_by_itself_in_both_languages(prefix, tmp_path):
    for compiler, standard, suffix in (("gcc", "c11", "c"), ("clang", "c11", "c"), ("g++", "c++17", "cpp"), ("clang++", "c++17", "cpp")):
        source = tmp_path / f"only_{compiler}.{suffix}"
        source.write_text("#include <eddy.h>\n")
        run(compiler, f"-std={standard}", "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{prefix / 'include'}", "-c", source,
            "-o", pathlib.Path(tmp_path) / "only.o")
