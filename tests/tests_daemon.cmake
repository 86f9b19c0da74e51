# The machine sampler.
eddy_unit_test(proc_table eddy_daemon)
eddy_unit_test(machine_parts eddy_daemon)
eddy_unit_test(machine_sampler eddy_daemon WRAP pread open malloc calloc realloc strdup)

# Installed for systemd, and the machine as a source, end to end.
eddy_end_to_end_test(service_files)
eddy_end_to_end_test(machine_source SMOKE)

# The parts of the collector.
eddy_unit_test(config_values eddy_daemon)
eddy_unit_test(collector_config eddy_daemon)
eddy_unit_test(message_receiver eddy_daemon)
eddy_unit_test(text_buffer eddy_daemon)
eddy_unit_test(connection_table eddy_daemon)
eddy_unit_test(client_session eddy_daemon)
eddy_unit_test(output_folder eddy_daemon)
eddy_unit_test(descriptor_plan eddy_daemon)
eddy_unit_test(listener eddy_daemon SOURCES faults.c WRAP listen)
eddy_unit_test(part_pool eddy_daemon)
eddy_unit_test(totals_reader eddy_daemon SOURCES random_batch.c trace_bytes.c)
eddy_unit_test(disk_writer eddy_daemon SOURCES faults.c random_batch.c trace_bytes.c
    WRAP openat fstatat fstatvfs pwrite fsync fdatasync renameat2)

# The collector as a whole.
eddy_stress_test(stress_collector eddy_daemon)
eddy_end_to_end_test(collector SMOKE)
eddy_end_to_end_test(record SMOKE)
eddy_end_to_end_test(salvage SMOKE)

# What a client that was killed leaves; the recorder is made by the client's own code.
eddy_unit_test(salvage eddy_client eddy_daemon SOURCES left_recorder.c)
eddy_fuzz_target(salvage eddy_client eddy_daemon)
if(TARGET fuzz_salvage)
    target_sources(fuzz_salvage PRIVATE support/left_recorder.c)
    target_include_directories(fuzz_salvage PRIVATE support)
endif()
