/**
 * Byte offsets of the blocks through which TypeScript and the kernels speak. One text for both: kernels/ imports this file too,
 * so it holds constants only. All fields are 32-bit unsigned unless the name ends in _F64.
 */

/** One piece of a gradient: ∂f/∂p[offset + j] = scale × values[k], j = indices ? indices[k] : k, k < count. */
export const PIECE_VALUES = 0;
export const PIECE_INDICES = 4;
export const PIECE_COUNT = 8;
export const PIECE_OFFSET = 12;
export const PIECE_SCALE_F64 = 16;
export const PIECE_BYTES = 24;

/** A list of pieces: their number (u32), then the pieces. */
export const PIECES_FIRST = 8;

/** A slot or an offset that does not exist. */
export const ABSENT = 0xffffffff;

/** How a compiled rule is called for each update (kernels/descend.ts). AT: offsets in the rule's block; the rest are slots and counts. */
export const RULE_BLOCK = 0;
export const RULE_AT_VALUES = 4;
export const RULE_AT_INDICES = 8;
export const RULE_AT_SCALE = 12;
export const RULE_AT_T = 16;
export const RULE_AT_LOSS = 20;
/** How much of the gradient goes to the mean of the control variates. */
export const RULE_AT_REFRESH = 24;
export const RULE_UPDATE = 28;
export const RULE_END = 32;
export const RULE_PASS_COUNT = 36;
export const RULE_POINTER_COUNT = 40;
/** The piece offset that the pointers are set for; ABSENT at first. */
export const RULE_OFFSET = 44;
/** PASS_COUNT × (begin slot, run slot), then POINTER_COUNT × (offset in block, first element, element bytes). */
export const RULE_PASSES = 48;
export const RULE_PASS_BYTES = 8;
export const RULE_POINTER_BYTES = 12;

/** A lane: one sequence of updates, run by one worker at a time. */
export const LANE_GRADIENT = 0;
export const LANE_MODEL = 4;
export const LANE_PARAMETERS = 8;
export const LANE_PIECES = 12;
export const LANE_RULE = 16;
export const LANE_CONTROL = 20;
/** u32[] of rows in the order of their visit, or 0: drawn with replacement. */
export const LANE_ORDER = 24;
export const LANE_BATCH = 28;
export const LANE_FIRST_ROW = 32;
/** Positions of an epoch. */
export const LANE_ROWS = 36;
/** Draws with replacement are from [FIRST_ROW, FIRST_ROW + DRAWN_FROM). */
export const LANE_DRAWN_FROM = 40;
export const LANE_KEY_LOW = 44;
export const LANE_KEY_HIGH = 48;
/** u32[16 × batch] for drawn rows. */
export const LANE_DRAWN = 52;
/** Group penalty: 0 or a GROUP block. */
export const LANE_GROUP = 56;
/** Stochastic line search: 0 or a SEARCH block. */
export const LANE_SEARCH = 60;
/** The rule's t = T_FIRST + T_STEP × (local update number, from 0). */
export const LANE_T_FIRST_F64 = 64;
export const LANE_T_STEP_F64 = 72;
/** L2 as a scale of all parameters: 0 or a DECAY block. */
export const LANE_DECAY = 80;
/** Plain descent on 16-bit parameters with rows of 1 or 2 bytes an element (kernels/fixed.ts); 0: the rule's own program. */
export const LANE_FIXED = 84;
/** Slot of (model, rows, count) that reads rows ahead of their use, or ABSENT. */
export const LANE_TOUCH = 88;
/** Keeps what was read from being optimised away. */
export const LANE_TOUCHED = 92;
export const LANE_BYTES = 96;

/** Control variates (SVRG, SAGA, SAG): a table of each row's last derivative and the mean gradient that it stands for. */
export const CONTROL_KIND = 0;
export const CONTROL_TABLE = 4;
export const CONTROL_ROWS = 8;
export const CONTROL_BYTES = 16;
export const CONTROL_SAGA = 1;
export const CONTROL_SAG = 2;
export const CONTROL_SVRG = 3;
/** Fill the table, subtract nothing: the snapshot pass. */
export const CONTROL_RECORD = 4;

/** A linear model on one dataset, as one lane sees it (kernels/linear.ts). */
export const LINEAR_VALUES = 0;
export const LINEAR_ROW_BYTES = 4;
export const LINEAR_ROW_START = 8;
export const LINEAR_COLUMN_INDEX = 12;
export const LINEAR_TARGET = 16;
export const LINEAR_WEIGHTS = 20;
/** Columns that carry a parameter: the features and, last, the intercept if there is one. */
export const LINEAR_COLUMNS = 24;
export const LINEAR_OUTPUTS = 28;
export const LINEAR_PARAMETER_STRIDE = 32;
export const LINEAR_Z = 36;
export const LINEAR_DZ = 40;
export const LINEAR_Y = 44;
export const LINEAR_ROW_WEIGHT = 48;
/** The loss program: slot of its update, block and offsets of what changes between calls. */
export const LINEAR_LOSS_UPDATE = 52;
export const LINEAR_LOSS_BLOCK = 56;
export const LINEAR_LOSS_AT_Z = 60;
export const LINEAR_LOSS_AT_DZ = 64;
export const LINEAR_LOSS_AT_Y = 68;
export const LINEAR_LOSS_AT_WEIGHT = 72;
export const LINEAR_LOSS_AT_LOSS = 76;
/** The loss of one row as scalars (slot of its end, block, offsets); ABSENT for several outputs. */
export const LINEAR_POINT = 80;
export const LINEAR_POINT_BLOCK = 84;
export const LINEAR_POINT_AT_Z = 88;
export const LINEAR_POINT_AT_Y = 92;
export const LINEAR_POINT_AT_WEIGHT = 96;
export const LINEAR_POINT_AT_DZ = 100;
export const LINEAR_POINT_AT_LOSS = 104;
/** The program `buffer += factor × values` over one dense row. */
export const LINEAR_ADD_UPDATE = 108;
export const LINEAR_ADD_BLOCK = 112;
export const LINEAR_ADD_AT_BUFFER = 116;
export const LINEAR_ADD_AT_VALUES = 120;
export const LINEAR_ADD_AT_FACTOR = 124;
/** Gradient of a batch: outputs × parameter stride. Sparse: kept at zero between calls. */
export const LINEAR_BUFFER = 128;
/** Sparse batches: the stamp of each column, the list of touched columns, their values side by side. */
export const LINEAR_STAMPS = 132;
export const LINEAR_STAMP = 136;
export const LINEAR_TOUCHED = 140;
export const LINEAR_TOUCHED_VALUES = 144;
/** 1: gradients of single rows go through the buffer as well (a densified gradient). */
export const LINEAR_BUFFERED = 148;
/** log₂ of the bytes of a stored element. */
export const LINEAR_ELEMENT_SHIFT = 152;
export const LINEAR_DATA_SCALE_F64 = 160;
export const LINEAR_PARAMETER_SCALE_F64 = 168;
export const LINEAR_BYTES = 176;

/** Proximal step of the group penalty λ Σ_g w_g ‖p_g‖ (kernels/group.ts): start u32[groups + 1] into columns u32[], weight f64[groups]. */
export const GROUP_PARAMETERS = 0;
export const GROUP_ELEMENT_BYTES = 4;
export const GROUP_COUNT = 8;
export const GROUP_START = 12;
export const GROUP_COLUMNS = 16;
export const GROUP_WEIGHTS = 20;
export const GROUP_OUTPUTS = 24;
export const GROUP_STRIDE = 28;
/** Address of the f64 that holds the current rate. */
export const GROUP_RATE = 32;
export const GROUP_LAMBDA_F64 = 40;
export const GROUP_BYTES = 48;

/** L2 of plain descent on sparse gradients, exactly: parameters stand for SCALE × what is stored (kernels/decay.ts). */
/** The rate as a program of t: slot of its end, block, offsets; its value goes to the rule's own slot. */
export const DECAY_RATE_END = 0;
export const DECAY_RATE_BLOCK = 4;
export const DECAY_RATE_AT_T = 8;
export const DECAY_RATE_AT_RATE = 12;
/** Address of the rule's f64 rate. */
export const DECAY_RULE_RATE = 16;
/** Address of the f64 by which the model multiplies parameters. */
export const DECAY_MODEL_SCALE = 20;
export const DECAY_PARAMETERS = 24;
export const DECAY_COUNT = 28;
export const DECAY_ELEMENT_BYTES = 32;
/** u32[EXEMPT_COUNT]: coordinates that do not decay. */
export const DECAY_EXEMPT = 36;
export const DECAY_EXEMPT_COUNT = 40;
/** Racing lanes: each keeps a scale of its own, and moves it by the updates of all; 1 for a lane alone. */
export const DECAY_POWER = 44;
/** Four nonzero u32, for rounding 16-bit parameters. */
export const DECAY_RANDOM = 48;
export const DECAY_RANDOM_1 = 52;
export const DECAY_RANDOM_2 = 56;
export const DECAY_RANDOM_3 = 60;
export const DECAY_L2_F64 = 64;
export const DECAY_SCALE_F64 = 72;
/** What a stored parameter is a multiple of at scale 1. */
export const DECAY_UNIT_F64 = 80;
export const DECAY_BYTES = 88;

/** Stochastic line search (kernels/search.ts). */
export const SEARCH_OBJECTIVE = 0;
export const SEARCH_ELEMENT_BYTES = 4;
export const SEARCH_BACKUP = 8;
/** Penalty weights laid out like the parameters, or 0. */
export const SEARCH_SHARE = 12;
export const SEARCH_MAX_TRIES = 16;
export const SEARCH_RATE_F64 = 24;
export const SEARCH_GROWTH_F64 = 32;
export const SEARCH_SUFFICIENT_F64 = 40;
export const SEARCH_SHRINK_F64 = 48;
export const SEARCH_FALLBACK_F64 = 56;
export const SEARCH_L2_F64 = 64;
export const SEARCH_BYTES = 72;
