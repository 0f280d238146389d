import { area } from '../case.ts'

export const lists = area('lists', {})
