/** Name of the column that encodes a level of a category. */
export const levelName = (column: string, level: string): string => `${column}=${level}`;
