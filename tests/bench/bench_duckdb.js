// DuckDB in process, on the operations of make_operations as Parquet with zstd. Prints one line of JSON.
//
//     node bench_duckdb.js NPM_FOLDER convert PARQUET < CSV
//     node bench_duckdb.js NPM_FOLDER exact|histogram PARQUET THREADS REPETITIONS
//
// exact: per name the count and four exact quantiles of the duration, and nothing else that a report says. histogram: the
// counts that could be merged and quantiles be taken from, 64 buckets per power of two. Columns are signed, since DuckDB is
// several times slower with unsigned ones. Every query runs once before it is measured; CPU is user and system time of
// the process while the query runs.
"use strict";

const path = require("path");
const fs = require("fs");

const COLUMNS =
  "{'pid': 'UINTEGER', 'tid': 'UINTEGER', 'name': 'VARCHAR', 'status': 'UTINYINT', " +
  "'begin_ns': 'BIGINT', 'duration_ns': 'BIGINT'}";

const queries = {
  exact: (file) =>
    `SELECT name, count(*), quantile_disc(duration_ns, [0.5, 0.95, 0.99, 0.999])
     FROM '${file}' GROUP BY name ORDER BY name`,
  histogram: (file) =>
    `SELECT name, (log2(duration_ns + 1) * 64)::INTEGER AS bucket, count(*)
     FROM '${file}' GROUP BY ALL ORDER BY ALL`,
};

async function convert(connection, file) {
  await connection.run(
    `COPY (SELECT * FROM read_csv('/dev/stdin', header = true, auto_detect = false, columns = ${COLUMNS}))
     TO '${file}' (FORMAT parquet, COMPRESSION zstd)`
  );
  const counted = await connection.runAndReadAll(`SELECT count(*)::INTEGER FROM '${file}'`);
  return { operations: counted.getRows()[0][0], bytes: fs.statSync(file).size };
}

async function measure(connection, query, repetitions) {
  const result = { cpu_ns: [], wall_ns: [] };
  let rows = await connection.runAndReadAll(query);
  for (let i = 0; i < repetitions; i++) {
    const cpu = process.cpuUsage();
    const start = process.hrtime.bigint();
    rows = await connection.runAndReadAll(query);
    result.wall_ns.push(Number(process.hrtime.bigint() - start));
    const spent = process.cpuUsage(cpu);
    result.cpu_ns.push((spent.user + spent.system) * 1000);
  }
  result.rows = rows.getRows().length;
  result.peak_bytes = process.resourceUsage().maxRSS * 1024;
  return result;
}

async function main([folder, verb, file, threads, repetitions]) {
  const { DuckDBInstance, version } = require(path.resolve(folder, "node_modules/@duckdb/node-api"));
  const instance = await DuckDBInstance.create(":memory:", { threads: threads ?? "2" });
  const connection = await instance.connect();
  const result =
    verb === "convert"
      ? await convert(connection, file)
      : await measure(connection, queries[verb](file), Number(repetitions));
  result.version = version();
  console.log(JSON.stringify(result));
}

main(process.argv.slice(2)).catch((error) => {
  console.error(`bench_duckdb: ${error.message}`);
  process.exit(1);
});
