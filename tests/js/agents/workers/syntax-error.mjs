export const value = 1 +* 2;
