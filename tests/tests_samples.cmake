# The samples and the quickstart, as a newcomer runs them.
eddy_end_to_end_test(samples)
eddy_end_to_end_test(sample_faults SERIAL)
eddy_end_to_end_test(quickstart)
