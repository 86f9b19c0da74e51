# The machine sampler.
eddy_unit_test(proc_table eddy_daemon)
eddy_unit_test(machine_parts eddy_daemon)
eddy_unit_test(machine_sampler eddy_daemon WRAP pread open malloc calloc realloc strdup)

# Installed for systemd, and the machine as a source, end to end.
eddy_end_to_end_test(service_files)
eddy_end_to_end_test(machine_source SMOKE)

# The collector as a whole.
eddy_end_to_end_test(collector SMOKE)
eddy_end_to_end_test(record SMOKE)
