/** Reports that an option of the headers is wrong: its name, what is wrong, and how to mend it. */
export type ReportHeaderProblem = (option: string, problem: string, fix: string) => void;
