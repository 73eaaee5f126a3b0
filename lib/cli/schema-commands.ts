import { type Command, UsageError } from './command.js';

export const SCHEMA_COMMANDS: Readonly<Record<string, Command>> = {
  migrate: {
    summary: 'create the tables of a SQL store, or bring them up to date; does no harm twice',
    operands: [],
    options: {},
    help: [],
    run: async ({ database }) => {
      if (database === undefined) throw new UsageError('Redis has no schema');
      const applied = await database.migrate();
      const text =
        applied.length === 0 ? 'the schema is up to date\n' : applied.map((name) => `applied ${name}\n`);
      return { json: { applied }, text: [text].flat().join('') };
    },
  },
};
