# The parts of libeddy, each by itself.
eddy_unit_test(row_order eddy_client)
eddy_unit_test(settings eddy_client WRAP getauxval secure_getenv)
eddy_unit_test(thread_reaper eddy_client SOURCES client_fixture.c)
eddy_unit_test(open_operations eddy_client SOURCES client_fixture.c)
eddy_unit_test(process_sampler eddy_client SOURCES client_fixture.c WRAP getrusage realloc)
eddy_unit_test(proc_file eddy_client)
eddy_unit_test(descriptor eddy_client)
eddy_unit_test(flush_requests eddy_client)
eddy_unit_test(client_calls eddy_client WRAP memfd_create mmap ftruncate pthread_create malloc calloc realloc)

eddy_stress_test(stress_calls eddy_client)

eddy_support_program(accounting eddy)
eddy_support_program(short_life eddy)

eddy_end_to_end_test(accounting SMOKE)
eddy_end_to_end_test(traced_process)
eddy_end_to_end_test(installed_package)
eddy_end_to_end_test(python_api)
