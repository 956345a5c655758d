"""Why clients got 401, from logs of any size, by Apache Spark 4: spark-submit --files why401 why401_spark.py LOG...

--states DIR keeps the merged states (Parquet), --report FILE takes the report, --format is that of it, --tasks how many tasks
fold; all other options are those of `why401 shard plan`. WHY401_STATES_KEY is the key that states are sealed with; without
one, each run has its own, and nobody reads the states afterwards. See docs/spark.md.
"""
import argparse, json, os, secrets, shutil, subprocess, sys, tempfile, threading

import pyarrow as pa
from pyspark import SparkFiles
from pyspark.sql import SparkSession
from pyspark.sql.functions import broadcast

SPLIT = "site string, source int, number int, path string, start long, end long, size long, codec string, plan string"
KEY = "WHY401_STATES_KEY"
STATE = "site string, client int, source int, start long, first long, last long, version int, state binary"


def why401():
    """The program as --files brought it here, or the one on the path."""
    found = shutil.which("why401", path=os.pathsep.join([SparkFiles.getRootDirectory(), os.environ.get("PATH", "")]))
    return found or sys.exit("why401 is neither among --files nor on the path")


def piped(step, key, batches):
    """One process for all that a task is given; what it says goes to the driver when it fails, else to the worker's log."""
    with tempfile.TemporaryFile("w+b") as words:
        child = subprocess.Popen([why401(), "shard", step], env=os.environ | {KEY: key}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=words)
        failed = []

        def feed():
            writer = None
            try:
                for batch in batches:
                    writer = writer or pa.ipc.new_stream(child.stdin, batch.schema)
                    writer.write_batch(batch)
                if writer:
                    writer.close()
                child.stdin.close()
            except BrokenPipeError:
                pass  # Its exit status tells why.
            except BaseException as error:
                failed.append(error)
                child.kill()

        feeder = threading.Thread(target=feed, daemon=True)
        feeder.start()
        try:
            yield from pa.ipc.open_stream(child.stdout)
        except pa.ArrowInvalid as error:
            failed.append(error)
        finally:
            if sys.exc_info()[0] is GeneratorExit:
                child.kill()
            status = child.wait()
        feeder.join()
        words.seek(0)
        said = words.read().decode(errors="replace")
        if status not in (0, 1) or failed:
            raise RuntimeError(f"why401 shard {step} ended with {status}: {said or failed}")
        sys.stderr.write(said)


def stream(table):
    """A table as why401 reads it."""
    out = pa.BufferOutputStream()
    if table:
        with pa.ipc.new_stream(out, table.schema) as writer:
            writer.write_table(table)
    return out.getvalue().to_pybytes()


def main():
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--states")
    options.add_argument("--report", default="/dev/stdout")
    options.add_argument("--format", default="text")
    options.add_argument("--tasks", type=int)
    own, plan = options.parse_known_args()
    key = os.environ.get(KEY)
    if not key and own.states:
        print(f"{KEY} is not set: nobody will be able to read {own.states} again", file=sys.stderr)
    key = key or secrets.token_hex(32)  # In memory alone, here and in the tasks.
    spark = SparkSession.builder.appName("why401").getOrCreate()
    away = [arg for arg in plan if "://" in arg]  # Object stores: each log as a whole, by Spark's own file systems.
    spark.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", 1 if away else 8)  # A state may have megabytes.
    heads = logs = None
    if away:
        logs = spark.read.format("binaryFile").load(away)
        heads = logs.selectExpr("path", "length AS size", "substring(content, 1, 65536) AS head").toArrow()
        heads = heads.sort_by("path")
    plan = [arg for arg in plan if arg not in away] + ["-"] * bool(away)
    planned = subprocess.run([why401(), "shard", "plan", *plan], input=stream(heads), stdout=subprocess.PIPE)
    if planned.returncode not in (0, 1):
        sys.exit(planned.returncode)
    rows = [json.loads(line) for line in planned.stdout.splitlines()]
    come = set(heads["path"].to_pylist()) if away else ()
    here = [row for row in rows if row["path"] not in come or row["codec"] == "none"]
    tasks = own.tasks or max(min(len(here), 200), len(here) // 8, 1)
    splits = spark.createDataFrame(here, SPLIT).repartitionByRange(tasks, "source", "start")
    if away:
        sent = spark.createDataFrame([row for row in rows if row["path"] in come and row["codec"] != "none"], SPLIT)
        sent = logs.select("path", "content").join(broadcast(sent), "path")
        splits = splits.unionByName(sent, allowMissingColumns=True)
    states = splits.mapInArrow(lambda batches: piped("fold", key, batches), STATE)
    states = states.repartition("site", "client").sortWithinPartitions("site", "client", "source", "start")
    merged = states.mapInArrow(lambda batches: piped("merge", key, batches), STATE)
    if own.states:
        merged.write.mode("overwrite").option("compression", "none").parquet(own.states)
        merged = spark.read.parquet(own.states)
    command = [why401(), "shard", "report", "--format", own.format]
    report = subprocess.Popen(command, env=os.environ | {KEY: key}, stdin=subprocess.PIPE, stdout=open(own.report, "wb"))
    schema = pa.schema([("state", pa.binary())])
    with report.stdin, pa.ipc.new_stream(report.stdin, schema) as out:
        for row in merged.select("state").toLocalIterator():
            out.write_batch(pa.record_batch([pa.array([bytes(row.state)], pa.binary())], schema))
    sys.exit(report.wait())


if __name__ == "__main__":
    main()
