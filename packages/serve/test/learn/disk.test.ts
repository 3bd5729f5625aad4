/**
 * A disk fills up while a model learns. Confirmed requests are served and survive reopening. Refused requests leave no
 * trace and can be sent again.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LearnerError, type OnlineLearner, openLearner } from "@ergodic/serve";
import { Dataset, fit, linear, sgd } from "ergodic";
import { afterAll, expect, test } from "vitest";

const disk = mkdtempSync(join(tmpdir(), "disk-"));
const { status, stderr } = spawnSync("mount", ["-t", "tmpfs", "-o", "size=192k", "tmpfs", disk], { encoding: "utf8" });
const isMounted = status === 0;
if (!isMounted)
  console.error(`tests: SKIPPED a full disk: no file system can be mounted here (${(stderr ?? "no mount").trim()})`);
afterAll(() => {
  if (isMounted) spawnSync("umount", ["-l", disk]);
  rmSync(disk, { recursive: true });
});

const number = (i: number): number => ((Math.imul(i + 1, 2654435761) >>> 0) / 2 ** 32) * 2 - 1;
const rowsOf = (of: number): number[][] =>
  Array.from({ length: 20 }, (_, k) => [0, 1, 2].map((j) => number(60 * of + 3 * k + j)));
const targetsOf = (of: number): string[] => rowsOf(of).map(([a, b]) => (a! > b! ? "yes" : "no"));
const learn = (learner: OnlineLearner, of: number) =>
  learner.learn(rowsOf(of), targetsOf(of), { idempotencyKey: `request-${of}` });

/** Learns until the disk is full. Returns the number of confirmed requests and the error of the next one. */
async function filled(learner: OnlineLearner, from: number): Promise<{ confirmed: number; error: LearnerError }> {
  for (let of = from; ; of++) {
    const error = await learn(learner, of).then(
      () => undefined,
      (thrown: LearnerError) => thrown,
    );
    if (error) return { confirmed: of - 1, error };
  }
}

test.skipIf(!isMounted)("retains and serves confirmed requests on a full disk, and refuses others without a trace", async () => {
  const data = Dataset.fromArrays({ x: rowsOf(0), y: targetsOf(0) });
  const model = (await fit(linear({ loss: "logistic" }), data, { epochs: 1, seed: 1 })).toBytes();
  const folder = join(disk, "model");
  const rule = sgd({ rate: 0.05 });
  const twinFolder = mkdtempSync(join(tmpdir(), "twin-"));
  const twin = await openLearner({ model, rule, folder: twinFolder });
  const expectSame = async (learner: OnlineLearner, version: number): Promise<void> => {
    while (twin.stats().version < version) await learn(twin, twin.stats().version + 1);
    const { all, requests } = twin.stats();
    expect(learner.stats()).toMatchObject({ version, requests, all });
    expect(learner.current().version).toBe(version);
    expect(Buffer.from(learner.current().toBytes()).equals(twin.current().toBytes())).toBe(true);
  };

  // Nothing requests the model before the disk is full.
  const first = await openLearner({ model, rule, folder });
  const { confirmed, error } = await filled(first, 1);
  expect(error).toBeInstanceOf(LearnerError);
  expect(error.message).toMatch(/could not be written \(ENOSPC.*\), and unconfirmed rows are not learnt; check the disk/);
  expect(confirmed).toBeGreaterThan(100);
  await expectSame(first, confirmed);
  await first.close();

  // Opened while the disk is full, and again once there is space.
  const full = await openLearner({ folder });
  await expectSame(full, confirmed);
  expect(full.stats().failure).toContain("could not be written");
  await expect(learn(full, confirmed + 1)).rejects.toBe(await full.failed);
  await full.close();
  spawnSync("mount", ["-o", "remount,size=800k", disk]);
  const again = await openLearner({ folder });
  expect(again.stats()).toMatchObject({ version: confirmed, recovered: { requests: confirmed, droppedBytes: 0 } });
  for (const of of [confirmed - 1, confirmed]) expect((await learn(again, of)).version).toBe(of);
  for (const of of [confirmed + 1, confirmed + 2]) expect((await learn(again, of)).version).toBe(of);
  await expectSame(again, confirmed + 2);

  // A snapshot that does not fit on the disk.
  spawnSync("sh", ["-c", `head -c 1000000 /dev/zero > "${join(disk, "other")}"`]);
  const none = await again.snapshot().then(
    () => undefined,
    (thrown: LearnerError) => thrown,
  );
  expect(none?.code).toBe("JOURNAL_WRITE");
  await expectSame(again, confirmed + 2);
  await again.close();
  writeFileSync(join(disk, "other"), "");
  const last = await openLearner({ folder });
  await expectSame(last, confirmed + 2);
  expect(await last.snapshot()).toBe(confirmed + 2);
  await last.close();

  spawnSync("mount", ["-o", "remount,ro", disk]);
  const refused = await openLearner({ folder }).catch((thrown: LearnerError) => thrown);
  spawnSync("mount", ["-o", "remount,rw", disk]);
  expect(refused).toBeInstanceOf(LearnerError);
  expect((refused as LearnerError).message).toMatch(
    /model: cannot be opened \(EROFS.*\); check the disk and the permissions \[JOURNAL_WRITE\]$/,
  );
  await twin.close();
  rmSync(twinFolder, { recursive: true });
});
