# The analyzer: CSV import, checks and dumps of trace files, and what reports look like.
eddy_unit_test(csv_reader eddy_analysis)
eddy_unit_test(csv_values eddy_analysis)
eddy_unit_test(csv_tables eddy_analysis)
eddy_unit_test(import eddy_analysis)
eddy_unit_test(json_tree eddy_analysis)
eddy_unit_test(text_format eddy_analysis)
eddy_unit_test(text_cell eddy_analysis)
eddy_unit_test(terminal_style eddy_analysis)
eddy_unit_test(markdown_text eddy_analysis)
eddy_unit_test(report_outputs eddy_analysis)
eddy_unit_test(wide_integers eddy_analysis)
eddy_unit_test(value_sort eddy_analysis SOURCES test_values.c)
eddy_unit_test(quantile_ranks eddy_analysis)
eddy_unit_test(distribution eddy_analysis SOURCES test_values.c WRAP calloc reallocarray)
eddy_unit_test(real_distribution eddy_analysis SOURCES test_values.c WRAP calloc reallocarray)
eddy_unit_test(slowest eddy_analysis SOURCES test_values.c WRAP reallocarray)

eddy_fuzz_target(csv_import eddy_analysis)

eddy_support_program(example_report eddy_analysis)

eddy_end_to_end_test(import_dump_verify)
eddy_end_to_end_test(report_outputs)
