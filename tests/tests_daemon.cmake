# The machine sampler.
eddy_unit_test(proc_table eddy_daemon)
eddy_unit_test(machine_parts eddy_daemon)
eddy_unit_test(machine_sampler eddy_daemon WRAP pread open malloc calloc realloc strdup)
