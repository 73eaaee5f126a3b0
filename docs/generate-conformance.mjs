// Writes docs/conformance.md from docs/requirements.json and the titles of the tests.
// With --check it writes nothing and exits with 1 if the file is out of date.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const OUTPUT = join(ROOT, 'docs', 'conformance.md');

const GROUPS = {
  AU: 'Credentials on the request',
  AK: 'API keys',
  JW: 'JWT access tokens',
  RT: 'Refresh tokens and logout',
  OA: 'OAuth 2.0: keys of other issuers',
  IN: 'OAuth 2.0: introspection',
  PM: 'OAuth 2.0: protected resource metadata',
  DP: 'OAuth 2.0: DPoP',
  AS: 'OAuth 2.0: authorization server',
  AZ: 'Authorization',
  RL: 'Rate limits',
  IV: 'Input validation',
  SH: 'Security headers',
  TL: 'HTTPS and proxies',
  CO: 'CORS',
  HP: 'HTTP itself',
  ER: 'Errors',
  LG: 'Security events',
  CF: 'Configuration and supply chain',
};

const REQUIREMENT = /\bR-[A-Z]{2}-\d{2}\b/g;
// A title is a string that begins with an id; that holds for it() and it.each() alike.
const TITLE =
  /(['"`])(R-[A-Z]{2}-\d{2}(?:\\.|(?!\1)[^\\])*)\1|(['"`])((?:CONTRACT|PITFALL)-[\w.]+(?:\\.|(?!\3)[^\\\n])*)\3/g;

// What the packages do by themselves shows why a requirement is there, not that it is met.
const BARE = /^(?:[A-Z]+-[\w.-]+ )+bare\b/;

/** Test files below a folder, sorted, so that the output does not depend on the file system. */
function specFiles(folder) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return specFiles(path);
      return entry.name.endsWith('.spec.ts') ? [path] : [];
    })
    .toSorted();
}

/** Requirement id → the tests that name it. */
function testsByRequirement() {
  const tests = new Map();
  for (const path of specFiles(join(ROOT, 'test'))) {
    const file = relative(ROOT, path).split(sep).join('/');
    for (const match of readFileSync(path, 'utf8').matchAll(TITLE)) {
      const title = readable(match[2] ?? match[4]);
      if (BARE.test(title)) continue;
      for (const id of new Set(title.match(REQUIREMENT) ?? [])) {
        const known = tests.get(id) ?? [];
        if (!known.some((test) => test.title === title && test.file === file)) known.push({ title, file });
        tests.set(id, known);
      }
    }
  }
  return tests;
}

/** The title without its leading ids, on one line, safe in Markdown. */
function readable(title) {
  return title
    .replaceAll(/\$\{[^}]*\}/g, '…')
    .replaceAll(/\\(['"`])/g, '$1')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

function escaped(text) {
  return text.replaceAll(/[<>*_|\\]/g, '\\$&');
}

function describe({ id, level, title, sources }, tests) {
  const lines = [`- **${id}** (${level}) ${escaped(title)}. _${sources.map(escaped).join('; ')}_`];
  for (const test of tests) lines.push(`  - ${escaped(test.title)} ([${test.file}](../${test.file}))`);
  if (tests.length === 0) lines.push('  - not yet');
  return lines.join('\n');
}

/** A table whose later columns hold numbers, laid out as the formatter would. */
function table(head, rows) {
  const widths = head.map((cell, column) => Math.max(...[head, ...rows].map((row) => row[column].length)));
  const line = (row) =>
    `| ${row.map((cell, column) => (column === 0 ? cell.padEnd(widths[column]) : cell.padStart(widths[column]))).join(' | ')} |`;
  const rule = widths.map((width, column) =>
    column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`,
  );
  return [line(head), `| ${rule.join(' | ')} |`, ...rows.map(line)].join('\n');
}

function render() {
  const requirements = JSON.parse(readFileSync(join(ROOT, 'docs', 'requirements.json'), 'utf8'));
  const tests = testsByRequirement();
  const known = new Set(requirements.map(({ id }) => id));
  const strangers = [...tests.keys()].filter((id) => !known.has(id)).toSorted();
  const sections = [];
  const summary = [];
  let shownInAll = 0;
  for (const [group, name] of Object.entries(GROUPS)) {
    const members = requirements.filter(({ id }) => id.startsWith(`R-${group}-`));
    const shown = members.filter(({ id }) => tests.has(id)).length;
    shownInAll += shown;
    summary.push([name, `${members.length}`, `${shown}`]);
    sections.push(
      `## ${name}\n\n${members.map((member) => describe(member, tests.get(member.id) ?? [])).join('\n')}`,
    );
  }
  summary.push(['**all**', `**${requirements.length}**`, `**${shownInAll}**`]);
  const intro = [
    '# Conformance',
    '',
    'Which requirements the tests show, and where each requirement comes from. `npm run docs:conformance` writes this file',
    'from `docs/requirements.json` and the titles of the tests; a test that shows a requirement begins with its id.',
    "ASVS is OWASP's Application Security Verification Standard 5.0.0, API1 … API10 its API Security Top 10 of 2023;",
    '_own_ marks a choice of this project. A listed test shows the requirement in the part its title names.',
  ].join('\n');
  const unknown =
    strangers.length > 0 ? `\n\nTests name ids that no requirement has: ${strangers.join(', ')}.` : '';
  return `${intro}${unknown}\n\n${table(['', 'requirements', 'shown by a test'], summary)}\n\n${sections.join('\n\n')}\n`;
}

const text = render();
if (process.argv.includes('--check')) {
  const current = readFileSync(OUTPUT, 'utf8');
  if (current !== text) {
    console.error('docs/conformance.md is out of date: run `npm run docs:conformance`.');
    process.exitCode = 1;
  }
} else {
  writeFileSync(OUTPUT, text);
}
