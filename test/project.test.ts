/**
 * Files that tools of the project read: the workflow, the issue forms, the chooser of issue templates, and the settings
 * of releases.
 *
 * GitHub's own parser checks the workflow. No npm package was found that ships a schema of issue forms,
 * so the keys below are those of the documentation:
 * https://docs.github.com/en/communities/using-templates-to-encourage-useful-issues-and-pull-requests/syntax-for-githubs-form-schema
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Ajv } from "ajv";
import { build } from "esbuild";
import { beforeAll, describe, expect, test } from "vitest";
import { parse } from "yaml";

const root = new URL("../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), "utf8");

/** GitHub's parser, bundled, because it imports JSON in a way that Node refuses. */
let parser: typeof import("@actions/workflow-parser");
beforeAll(async () => {
  const stdin = { contents: 'export * from "@actions/workflow-parser"', resolveDir: fileURLToPath(root) };
  const { outputFiles } = await build({ stdin, bundle: true, write: false, format: "esm", platform: "browser" });
  const module = Buffer.from(outputFiles[0].contents).toString("base64");
  parser = (await import(/* @vite-ignore */ `data:text/javascript;base64,${module}`)) as typeof parser;
});

async function workflowErrors(content: string): Promise<string[]> {
  const { convertWorkflowTemplate, NoOperationTraceWriter, parseWorkflow } = parser;
  const { context, value } = parseWorkflow({ name: "ci.yml", content }, new NoOperationTraceWriter());
  if (value) await convertWorkflowTemplate(context, value);
  return context.errors.getErrors().map(({ message }) => message);
}

describe("the workflow", () => {
  const text = read(".github/workflows/ci.yml");

  test("is valid", async () => {
    expect(await workflowErrors(text)).toEqual([]);
  });

  test.each([
    ["an unknown key", "runs-on:", "run-on:"],
    ["an unknown permission", "contents: read", "contents: reed"],
    ["an unknown context", "matrix.system }}", "matri.system }}"],
  ])("would not be valid with %s", async (_, from, to) => {
    expect(text).toContain(from);
    expect(await workflowErrors(text.replaceAll(from, to))).not.toEqual([]);
  });

  test("runs .ci/run on the supported versions of Node, with no right but reading", () => {
    const { jobs, permissions } = parse(text) as {
      jobs: Record<string, { strategy: { matrix: { node?: number[] } }; steps: { run?: string; uses?: string }[] }>;
      permissions: Record<string, string>;
    };
    expect(permissions).toEqual({ contents: "read" });
    expect(jobs.all.strategy.matrix.node).toEqual([20, 22, 24]);
    expect(jobs.all.steps.at(-1)?.run).toBe("bash .ci/run");
    const actions = Object.values(jobs).flatMap(({ steps }) => steps.flatMap(({ uses = [] }) => uses));
    expect(actions.filter((action) => !/^actions\/[a-z-]+@v\d+$/.test(action))).toEqual([]);
  });
});

const text = { type: "string", minLength: 1 };
const object = (properties: Record<string, object>, required: string[]) => ({
  type: "object",
  additionalProperties: false,
  properties,
  required,
});
/** Attributes of each type of element: those that are required, and all. */
const attributes: Record<string, [required: string[], all: Record<string, object>]> = {
  markdown: [["value"], { value: text }],
  input: [["label"], { label: text, description: text, placeholder: text, value: text }],
  textarea: [["label"], { label: text, description: text, placeholder: text, value: text, render: text }],
  dropdown: [
    ["label", "options"],
    {
      label: text,
      description: text,
      multiple: { type: "boolean" },
      default: { type: "integer" },
      options: { type: "array", minItems: 1, uniqueItems: true, items: text },
    },
  ],
  checkboxes: [
    ["label", "options"],
    {
      label: text,
      description: text,
      options: { type: "array", minItems: 1, items: object({ label: text, required: { type: "boolean" } }, ["label"]) },
    },
  ],
};
const elements = Object.entries(attributes).map(([type, [required, all]]) => {
  const input = { id: { type: "string", pattern: "^[\\w-]+$" }, validations: object({ required: { type: "boolean" } }, []) };
  return object({ type: { const: type }, attributes: object(all, required), ...(type === "markdown" ? {} : input) }, [
    "type",
    "attributes",
  ]);
});
const list = { type: "array", minItems: 1, items: text };
const form = object(
  {
    name: text,
    description: text,
    title: text,
    labels: list,
    assignees: list,
    body: {
      type: "array",
      minItems: 1,
      contains: { not: { properties: { type: { const: "markdown" } } } },
      items: { anyOf: elements },
    },
  },
  ["name", "description", "body"],
);
const link = object({ name: text, url: { type: "string", pattern: "^https?://" }, about: text }, ["name", "url", "about"]);
const chooser = object({ blank_issues_enabled: { type: "boolean" }, contact_links: { type: "array", items: link } }, []);

describe("issue templates", () => {
  const ajv = new Ajv({ strict: false });
  const [isForm, isChooser] = [ajv.compile(form), ajv.compile(chooser)];
  const folder = ".github/ISSUE_TEMPLATE/";

  test.each(readdirSync(new URL(folder, root)))("%s is valid", (file) => {
    const content = parse(read(folder + file)) as { body?: { id?: string }[] };
    const isValid = file === "config.yml" ? isChooser : isForm;
    expect(isValid(content) || isValid.errors).toBe(true);
    const ids = (content.body ?? []).flatMap(({ id = [] }) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test.each([
    ["an unknown type", "type: dropdown", "type: select"],
    ["a missing label", "label: Versions", "title: Versions"],
    ["no description", "description: Something fails", "about: Something fails"],
  ])("a form with %s is refused", (_, from, to) => {
    const changed = read(`${folder}bug.yml`).replace(from, to);
    expect(isForm(parse(changed))).toBe(false);
  });
});

test("a release gives all packages the same version", () => {
  const settings = JSON.parse(read(".changeset/config.json")) as { fixed: string[][]; access: string };
  const isValid = new Ajv({ strict: false }).compile(JSON.parse(read("node_modules/@changesets/config/schema.json")));
  expect(isValid(settings) || isValid.errors).toBe(true);
  expect(settings).toMatchObject({ fixed: [["ergodic", "@ergodic/*"]], access: "public" });
  const manifests = readdirSync(new URL("packages/", root)).map(
    (name) => JSON.parse(read(`packages/${name}/package.json`)) as Record<string, Record<string, string>>,
  );
  expect(manifests.filter(({ name }) => !/^(@ergodic\/\w+|ergodic)/.test(String(name)))).toEqual([]);
  expect(new Set(manifests.map(({ version }) => version)).size).toBe(1);
  // A minor release would become a major one if a package pinned the exact version of a peer.
  const pinned = manifests.flatMap(({ peerDependencies = {} }) =>
    Object.values(peerDependencies).filter((range) => /^\d/.test(range)),
  );
  expect(pinned).toEqual([]);
});
