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

/** How a compiled rule is called for each update (kernels/engine/optimise/descend.ts). AT: offsets in the rule's block; the rest are slots and counts. */
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
/** Plain descent on 16-bit parameters with rows of 1 or 2 bytes an element (kernels/engine/optimise/fixed.ts); 0: the rule's own program. */
export const LANE_FIXED = 84;
/** Slot of (model, rows, count) that reads rows ahead of their use, or ABSENT. */
export const LANE_TOUCH = 88;
/** Keeps what was read from being optimised away. */
export const LANE_TOUCHED = 92;
/** Where the lane's number of the update goes, f64: what a model draws random numbers by; or 0. */
export const LANE_UPDATE_AT = 96;
export const LANE_BYTES = 104;

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

/** A linear model on one dataset, as one lane sees it (kernels/learning/linear.ts). */
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
/** f64 a row that is added to its output, or 0. */
export const LINEAR_OFFSETS = 156;
export const LINEAR_DATA_SCALE_F64 = 160;
export const LINEAR_PARAMETER_SCALE_F64 = 168;
export const LINEAR_BYTES = 176;

/** Proximal step of the group penalty λ Σ_g w_g ‖p_g‖ (kernels/engine/optimise/group.ts): start u32[groups + 1] into columns u32[], weight f64[groups]. */
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

/** L2 of plain descent on sparse gradients, exactly: parameters stand for SCALE × what is stored (kernels/engine/optimise/decay.ts). */
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

/** Stochastic line search (kernels/engine/optimise/search.ts). */
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

/** One side (users or items) of a matrix factorisation, as its rows are updated (kernels/learning/factors.ts). */
export const FACTOR_OWN = 0;
export const FACTOR_OTHER = 4;
/** u32[rows + 1]: where each row's ratings begin. */
export const FACTOR_START = 8;
/** u32: the other side's row of each rating. */
export const FACTOR_INDEX = 12;
/** f64 a rating. */
export const FACTOR_VALUES = 16;
/** f64 a rating, or 0: value − prediction, kept by descent on components. */
export const FACTOR_RESIDUALS = 20;
/** Numbers of a row that are multiplied with the other side's: the rank, made even. */
export const FACTOR_RANK = 24;
/** Numbers of a row: RANK, and if there are biases the bias and a 0. */
export const FACTOR_STRIDE = 28;
export const FACTOR_ELEMENT_BYTES = 32;
/** f64[STRIDE²]: Σ over the other side's rows q qᵀ, both triangles. 0: cells without a rating do not count. */
export const FACTOR_GRAM = 36;
/** 1: L2 is multiplied by the row's number of ratings. */
export const FACTOR_WEIGHTED = 40;
export const FACTOR_L2_F64 = 48;
export const FACTOR_MEAN_F64 = 56;
export const FACTOR_ALPHA_F64 = 64;
export const FACTOR_BIAS_L2_F64 = 72;
export const FACTOR_BYTES = 80;

/** The rows of one output's dual and its losses (kernels/learning/dual.ts), made by the model. VALUES … COLUMN_INDEX: the data; ROW_START is 0 where they are dense. */
export const DUAL_VALUES = 0;
export const DUAL_ROW_BYTES = 4;
export const DUAL_ROW_START = 8;
export const DUAL_COLUMN_INDEX = 12;
/** Element type: 0 f32, 1 f64, 2 i16, 3 i8. */
export const DUAL_TYPE = 16;
/** Columns that carry a parameter; the last of them is the intercept, if there is one. */
export const DUAL_COLUMNS = 20;
/** Entries at the end of each sparse row that carry no parameter. */
export const DUAL_SKIPPED = 24;
/** f64 a row. */
export const DUAL_TARGET = 28;
/** f64 a row, or 0: w_i. */
export const DUAL_WEIGHTS = 32;
/** f64 a row: ‖x_i‖², the intercept's constant included. */
export const DUAL_SQUARES = 36;
/** 1: the logistic loss; 0: LOW … EPSILON describe the loss. */
export const DUAL_LOGISTIC = 40;
/** 1: bounds are mirrored where the target is negative. */
export const DUAL_SIGNED = 44;
export const DUAL_SCALE_F64 = 48;
/** What β x_i adds to the intercept beside scale × its stored entry. */
export const DUAL_INTERCEPT_F64 = 56;
/** C_i = COST × w_i. */
export const DUAL_COST_F64 = 64;
/** C_i ℓ_i(z) = max { β (y − z) − ε|β| − CURVATURE β²/(2 C_i) : LOW C_i ≤ β ≤ HIGH C_i }, LOW ≤ 0 ≤ HIGH. */
export const DUAL_LOW_F64 = 72;
export const DUAL_HIGH_F64 = 80;
export const DUAL_CURVATURE_F64 = 88;
export const DUAL_EPSILON_F64 = 96;
export const DUAL_BYTES = 104;

/** A lane of dual ascent. Rows [FIRST, FIRST + COUNT) are its part of looks and sums. */
export const ASCENT_DUAL = 0;
/** f64: the p that this lane reads and moves. */
export const ASCENT_PARAMETERS = 4;
/** f64 a row of the dataset: β. */
export const ASCENT_BETA = 8;
/** f64 a row of the dataset: log(α / (C − α)), α = |β|; logistic loss alone. */
export const ASCENT_LOGIT = 12;
/** u32[ACTIVE]: the rows that it visits, whose β nobody else moves. dualGap needs room for COUNT, and lists there those of its rows that are active. */
export const ASCENT_ORDER = 16;
export const ASCENT_FIRST = 20;
export const ASCENT_COUNT = 24;
export const ASCENT_ACTIVE = 28;
/** Position in the current pass; OPEN: 1 while there is one. */
export const ASCENT_POSITION = 32;
export const ASCENT_OPEN = 36;
/** 1: each pass in random order. */
export const ASCENT_SHUFFLE = 40;
/** Rows that stay at a bound by a tenth of LIMIT leave the active ones: 0 never, 1 at looks (dualGap), 2 during passes as well. */
export const ASCENT_SHRINK = 44;
/** 1: the last pass over the active rows violated the optimum by at most TARGET: unless lanes race, nothing more is done. */
export const ASCENT_SOLVED = 48;
export const ASCENT_KEY_LOW = 52;
export const ASCENT_KEY_HIGH = 56;
/** 1: other lanes move p at the same time. */
export const ASCENT_RACING = 60;
/** Passes begun: the counter of their order. */
export const ASCENT_PASS_F64 = 64;
/** Largest violation of this pass so far; LIMIT: of the pass before, if rows leave during passes. */
export const ASCENT_LARGEST_F64 = 72;
export const ASCENT_LIMIT_F64 = 80;
export const ASCENT_TARGET_F64 = 88;
/** σ′: how many times p moves for each move of β. */
export const ASCENT_SPREAD_F64 = 96;
/** What dualGap leaves, over the lane's rows: Σ C_i ℓ_i, primal − dual without l2, the largest violation. */
export const ASCENT_LOSS_F64 = 104;
export const ASCENT_GAP_F64 = 112;
export const ASCENT_VIOLATION_F64 = 120;
export const ASCENT_BYTES = 128;

/** A dataset by columns (kernels/learning/columns.ts). */
export const COLUMNS_VALUES = 0;
/** Dense: bytes a column. Sparse: 0. */
export const COLUMNS_STRIDE = 4;
/** Sparse: u32[columns + 1] and u32[entries]. Dense: 0. */
export const COLUMNS_START = 8;
export const COLUMNS_ROWS = 12;
export const COLUMNS_ROW_COUNT = 16;
/** Sparse: the rows as they are stored (data/layout.ts): starts, columns, values. Dense: 0. */
export const COLUMNS_ROW_START = 20;
export const COLUMNS_SCALE_F64 = 24;
export const COLUMNS_ROW_COLUMNS = 32;
export const COLUMNS_ROW_VALUES = 36;
export const COLUMNS_BYTES = 40;

/** A working set: one output of a penalised linear model, solved by coordinate descent (kernels/learning/working-set.ts). */
export const SET_COLUMNS = 0;
/** Slots of columnDot, columnAdd, columnAddWeighted and columnSpread for the columns' format. */
export const SET_DOT = 4;
export const SET_ADD = 8;
export const SET_ADD_WEIGHTED = 12;
export const SET_ROWS = 16;
export const SET_COLUMN_COUNT = 20;
/** f64[rows]: minus the gradient of the quadratic model with respect to the outputs, before the intercept's share; its curvatures. */
export const SET_U = 24;
export const SET_H = 28;
/** f64[rows]: zeros, between uses. */
export const SET_TEMPORARY = 32;
/** f64[columns]: coefficients, penalty weights, (x − o)ᵀh, ‖x − x̄‖ (x̄ = 0 without an intercept), xᵀv as last known and as of REFERENCE. */
export const SET_BETA = 36;
export const SET_PENALTY_WEIGHTS = 40;
export const SET_MEANS = 44;
export const SET_NORMS = 48;
export const SET_CORRELATIONS = 52;
export const SET_REFERENCE_CORRELATIONS = 56;
/** f64[rows]: v when REFERENCE_CORRELATIONS were taken. */
export const SET_REFERENCE = 60;
/** f64[rows]: v, filled by `setScores`. */
export const SET_V = 64;
/** u8[columns]: 1 where the coefficient is 0 at the optimum, as a sphere around the dual point proves. */
export const SET_SCREENED = 68;
/** u32[columns]: place in the set + 1, or 0. */
export const SET_PLACES = 72;
/** u32[columns]: the columns of the set; their number. */
export const SET_MEMBERS = 76;
export const SET_SIZE = 80;
/** Members whose rows of the Gram matrix are there; most that it holds; f64[capacity²] twice: Gram, and scratch for its factor. */
export const SET_GRAM_SIZE = 84;
export const SET_CAPACITY = 88;
export const SET_GRAM = 92;
export const SET_FACTOR = 96;
/** f64[columns] by place: xᵀv, coefficient at the start of a solve, curvature, a direction. u32[columns]: places. */
export const SET_Q = 100;
export const SET_BEFORE = 104;
export const SET_CURVATURES = 108;
export const SET_DIRECTION = 112;
export const SET_SUPPORT = 116;
/** f64[6 × columns + rows]: the last points of a solve by residuals, and u, for Anderson's extrapolation. */
export const SET_HISTORY = 120;
export const SET_INTERCEPT = 124;
export const SET_NON_NEGATIVE = 128;
/** Out: passes of coordinate descent made, columns whose correlation was computed, columns screened. */
export const SET_PASSES = 132;
export const SET_COMPUTED = 136;
export const SET_SCREENED_COUNT = 140;
export const SET_MOST_PASSES = 144;
export const SET_HAS_REFERENCE = 148;
export const SET_SPREAD = 152;
/** f64[columns]: o, where columns are measured from: their means where they are dense and there is an intercept to take that up, else 0. */
export const SET_ORIGINS = 156;
export const SET_L1_F64 = 160;
export const SET_L2_F64 = 168;
/** A pass that lowers the objective by less ends a solve. */
export const SET_TOLERANCE_F64 = 176;
/** The intercept's move since u was set: v = u − SHIFT h. */
export const SET_SHIFT_F64 = 184;
export const SET_SUM_H_F64 = 192;
/** Out of `setScores`: ½ Σ v²/h, the penalty, max |xᵀv|/(l1 w), Σ max(|xᵀv| − l1 w, 0)²/(2 l2 w), how far 0 is from a subdifferential at most, βᵀXᵀv. */
export const SET_FIT_F64 = 200;
export const SET_PENALTY_F64 = 208;
export const SET_RATIO_F64 = 216;
export const SET_EXCESS_F64 = 224;
export const SET_VIOLATION_F64 = 232;
/** Of the last scores: v = KAPPA × reference + something of length DISTANCE. */
export const SET_KAPPA_F64 = 240;
export const SET_DISTANCE_F64 = 248;
export const SET_INNER_F64 = 256;
/** Where a kernel is that continues in its next call (kernels/learning/set-block.ts): the part, the place in it, passes so far, and a number of the part's own. */
export const SET_STAGE = 264;
export const SET_AT = 268;
export const SET_TURN = 272;
export const SET_NEXT = 276;
/** Likewise: a sum so far, and SHIFT to go back to. */
export const SET_SUM_F64 = 280;
export const SET_SHIFT_BEFORE_F64 = 288;
/** Elements that this call may still touch, and how many a column has on average. */
export const SET_LEFT_F64 = 296;
export const SET_COLUMN_WORK_F64 = 304;
/** Slot of columnProducts for the columns' format; 0 where they are dense. */
export const SET_PRODUCTS = 312;
/** Out of `setSlope` and `setAlong` (kernels/learning/set-model.ts): slope of the loss along the intercept or a direction, Σ |slopes|, curvature. */
export const SET_SLOPE_F64 = 320;
export const SET_SLOPE_SIZE_F64 = 328;
export const SET_SLOPE_CURVATURE_F64 = 336;
export const SET_BYTES = 344;

/** A joint loss over rows (kernels/learning/loss-rows.ts): the program, where its block holds y, weight and result, its operands, and where they come from. */
export const JOINT_UPDATE = 0;
export const JOINT_BLOCK = 4;
export const JOINT_AT_Y = 8;
export const JOINT_AT_WEIGHT = 12;
export const JOINT_AT_RESULT = 16;
export const JOINT_IN = 20;
export const JOINT_OUT_A = 24;
export const JOINT_OUT_B = 28;
/** f64[outputs][rows]: what goes in, and the two that come out (or 0). */
export const JOINT_Z = 32;
export const JOINT_A = 36;
export const JOINT_B = 40;
export const JOINT_Y = 44;
export const JOINT_WEIGHTS = 48;
export const JOINT_ROWS = 52;
export const JOINT_OUTPUTS = 56;
export const JOINT_BYTES = 64;

/** A linear model moved coordinate by coordinate (kernels/engine/optimise/coordinate-moves.ts): x, its columns and its loss. */
export const MOVES_COLUMNS = 0;
/** Slots of columnDot, columnAdd and columnAddWeighted for the columns' format. */
export const MOVES_DOT = 4;
export const MOVES_ADD = 8;
export const MOVES_ADD_WEIGHTED = 12;
export const MOVES_ROWS = 16;
export const MOVES_COLUMN_COUNT = 20;
/** Coordinates of one output: its columns, and the intercept if there is one. */
export const MOVES_WIDTH = 24;
export const MOVES_OUTPUTS = 28;
/** 1: slopes are kept by their own moves, z and curvatures are not. */
export const MOVES_QUADRATIC = 32;
/** f64[rows]: c. */
export const MOVES_WEIGHTS = 36;
/** f64[outputs][width]. */
export const MOVES_X = 40;
/** f64[outputs][rows]: z, c ∂ℓ/∂z, c ∂²ℓ/∂z². */
export const MOVES_Z = 44;
export const MOVES_SLOPES = 48;
export const MOVES_CURVATURES = 52;
/** The companion, laid out like x, and its outputs (times c where QUADRATIC); 0 until it is used. */
export const MOVES_U = 56;
export const MOVES_U_Z = 60;
/** Coordinates by block: u32[blocks + 1], u32[coordinates]. */
export const MOVES_START = 64;
export const MOVES_MEMBERS = 68;
/** f64[coordinates]: weights of |x|, of x²/2, least values. */
export const MOVES_L1 = 72;
export const MOVES_L2 = 76;
export const MOVES_FLOORS = 80;
/** f64[blocks]: weights of ‖x_b‖ for blocks of several coordinates; bounds on the curvature, or Infinity. */
export const MOVES_GROUP = 84;
export const MOVES_BOUNDS = 88;
/** u32[outputs][3]: slot and block of the loss program on the trial's arrays, address of the targets. JOINT: a JOINT block on them, or 0. */
export const MOVES_LOSSES = 92;
export const MOVES_JOINT = 96;
/** Offsets in the blocks of LOSSES. */
export const MOVES_AT_Z = 100;
export const MOVES_AT_DZ = 104;
export const MOVES_AT_D2Z = 108;
export const MOVES_AT_Y = 112;
export const MOVES_AT_WEIGHT = 116;
export const MOVES_AT_LOSS = 120;
/** Of a trial, over the listed rows: f64[outputs][LENGTH] z, slopes, curvatures; f64[LENGTH] targets, weights, x_j. */
export const MOVES_TRIAL_Z = 124;
export const MOVES_TRIAL_SLOPES = 128;
export const MOVES_TRIAL_CURVATURES = 132;
export const MOVES_TRIAL_Y = 136;
export const MOVES_TRIAL_WEIGHTS = 140;
export const MOVES_DIRECTION = 144;
/** f64[rows]: zeros, between uses. */
export const MOVES_TEMPORARY = 148;
/** u32[LENGTH], or 0: all rows. */
export const MOVES_LIST = 152;
export const MOVES_LENGTH = 156;
/** f64[largest block] twice: partial derivatives, and the block before its move. */
export const MOVES_PARTIALS = 160;
export const MOVES_BEFORE = 164;
/** What the intercept is multiplied by in z. */
export const MOVES_ONE_F64 = 168;
export const MOVES_BYTES = 176;

/** A convolution or a pool (kernels/engine/images/convolution.ts): shapes of memory/convolution.ts. */
export const CONV_BATCH = 0;
export const CONV_IN_HEIGHT = 4;
export const CONV_IN_WIDTH = 8;
export const CONV_IN_CHANNELS = 12;
export const CONV_OUT_HEIGHT = 16;
export const CONV_OUT_WIDTH = 20;
export const CONV_OUT_CHANNELS = 24;
export const CONV_KERNEL_HEIGHT = 28;
export const CONV_KERNEL_WIDTH = 32;
export const CONV_STRIDE_HEIGHT = 36;
export const CONV_STRIDE_WIDTH = 40;
export const CONV_PAD_TOP = 44;
export const CONV_PAD_LEFT = 48;
export const CONV_DILATION_HEIGHT = 52;
export const CONV_DILATION_WIDTH = 56;
export const CONV_GROUPS = 60;
export const CONV_BYTES = 64;
/** Bytes of a band of patches, which shall stay in the second cache. */
export const CONV_BAND_BYTES = 262144;
/** A phase of one dimension (kernels/engine/images/convolution-axis.ts). */
export const AXIS_BYTES = 32;

/** An element-wise loop (kernels/engine/arrays/elementwise.ts; written by memory/elementwise.ts): counts, then the lists in their order. */
export const LOOP_RANK = 0;
export const LOOP_REGISTERS = 4;
export const LOOP_LOADS = 8;
export const LOOP_CONSTANTS = 12;
export const LOOP_OPERATIONS = 16;
export const LOOP_STORES = 20;
export const LOOP_REDUCTIONS = 24;
/** u32[rank]. */
export const LOOP_SHAPE = 28;
/** Loads, stores and reductions. Offset and strides: in elements. REDUCTION: a REDUCE number; SIZE: elements of its result. */
export const ACCESS_VALUE = 0;
export const ACCESS_OFFSET = 4;
export const ACCESS_REGISTER = 8;
export const ACCESS_REDUCTION = 12;
export const ACCESS_SIZE = 16;
/** i32[rank]. */
export const ACCESS_STRIDES = 20;
/** A register, and its f64 number. */
export const PRESET_BYTES = 12;
/** An OP number, the result's register, and three of arguments. */
export const OPERATION_BYTES = 20;
/** Elements of a register. */
export const REGISTER_ELEMENTS = 256;
export const REDUCE_SUM = 0;
export const REDUCE_MAXIMUM = 1;
export const REDUCE_MINIMUM = 2;
export const OP_COPY = 0;
export const OP_ADD = 1;
export const OP_SUB = 2;
export const OP_MUL = 3;
export const OP_DIV = 4;
export const OP_NEG = 5;
export const OP_SQUARE = 6;
export const OP_MIN = 7;
export const OP_MAX = 8;
export const OP_ABS = 9;
export const OP_SIGN = 10;
export const OP_FLOOR = 11;
export const OP_SQRT = 12;
export const OP_LESS = 13;
export const OP_LESS_EQUAL = 14;
export const OP_EQUAL = 15;
export const OP_AND = 16;
export const OP_OR = 17;
export const OP_NOT = 18;
export const OP_WHERE = 19;
export const OP_EXP = 20;
export const OP_EXPM1 = 21;
export const OP_TANH = 22;
export const OP_SIGMOID = 23;
export const OP_LOG = 24;
export const OP_LOG1P = 25;
export const OP_SOFTPLUS = 26;
export const OP_POW = 27;
export const OP_COS = 28;
export const OP_SIN = 29;
export const OP_ROUND = 30;
export const OP_ATAN = 31;
export const OP_ERF = 32;
export const OP_ERFC = 33;
export const OP_LGAMMA = 34;
export const OP_DIGAMMA = 35;
export const OP_TRIGAMMA = 36;

/** A compiled network on a dataset (kernels/engine/arrays/network.ts). */
export const NETWORK_SOURCE = 0;
export const NETWORK_STRIDE = 4;
/** 0 f32, 1 f64, 2 i16, 3 i8. */
export const NETWORK_KIND = 8;
export const NETWORK_COLUMNS = 12;
export const NETWORK_SCALE_F64 = 16;
export const NETWORK_TARGET = 24;
/** f64[rows], or 0. */
export const NETWORK_WEIGHTS = 28;
export const NETWORK_BATCH = 32;
export const NETWORK_X = 36;
export const NETWORK_Y = 40;
export const NETWORK_W = 44;
/** u32[batch]. */
export const NETWORK_ROWS = 48;
/** 1: float64. */
export const NETWORK_DOUBLE = 52;
export const NETWORK_GRADIENT = 56;
/** Parameters that are trained. */
export const NETWORK_COUNT = 60;
export const NETWORK_LOSS = 64;
/** Programs: the table slot, the block, the address of its pointer to the parameters (or 0). */
export const NETWORK_UPDATE = 68;
export const NETWORK_OBJECTIVE = 80;
export const NETWORK_BYTES = 96;

/** A compiled log density (kernels/bayes/log-density.ts). The program: its table slot and its block. */
export const LOG_DENSITY_RUN = 0;
export const LOG_DENSITY_BLOCK = 4;
/** Address of the block's pointer to the unconstrained numbers, or 0 where it reads none. */
export const LOG_DENSITY_POINT = 8;
/** Address of the block's pointer to the gradient. */
export const LOG_DENSITY_GRADIENT = 12;
/** Address of the f64 that the program leaves the log density in. */
export const LOG_DENSITY_VALUE = 16;
export const LOG_DENSITY_BYTES = 32;

/** A chain of Hamiltonian Monte Carlo (kernels/bayes/hamiltonian.ts): its log density's slot and model, its metric, where it stands, its scratch memory. */
export const CHAIN_SLOT = 0;
export const CHAIN_MODEL = 4;
export const CHAIN_DIMENSION = 8;
/** 1: dense metric. */
export const CHAIN_DENSE = 12;
/** M⁻¹: f64[d] or f64[d, d]. */
export const CHAIN_INVERSE = 16;
/** Diagonal: √M. Dense: L, L Lᵀ = M⁻¹, lower, row-major. */
export const CHAIN_FACTOR = 20;
export const CHAIN_POSITION = 24;
export const CHAIN_GRADIENT = 28;
export const CHAIN_WORK = 32;
export const CHAIN_KEY_LOW = 36;
export const CHAIN_KEY_HIGH = 40;
export const CHAIN_MAX_DEPTH = 44;
/** Leapfrogs of a static trajectory, or 0: TIME / step. */
export const CHAIN_LEAPFROGS = 48;
export const CHAIN_STEP_F64 = 56;
export const CHAIN_JITTER_F64 = 64;
export const CHAIN_TIME_F64 = 72;
export const CHAIN_LOG_DENSITY_F64 = 80;
/** Dual averaging: δ, γ, κ, t₀, μ, m, s̄, x̄. */
export const CHAIN_AVERAGING_F64 = 88;
/** Directions r of a low-rank metric, or 0. INVERSE: D f64[d], rows bₖ f64[r, d], λₖ − 1 f64[r]. FACTOR: D^−½, rows uₖ, λₖ^−½ − 1. */
export const CHAIN_RANK_F64 = 152;
export const CHAIN_BYTES = 160;
/** What is kept of a transition, f64 each: log density, acceptance, step, depth, leapfrogs, divergent, energy. */
export const TRANSITION_BYTES = 56;

/** A log density of a few coordinates of u (kernels/bayes/block-density.ts): that of all of u, u, room for its whole gradient, u32[count]. */
export const BLOCK_DENSITY_SLOT = 0;
export const BLOCK_DENSITY_MODEL = 4;
export const BLOCK_DENSITY_POINT = 8;
export const BLOCK_DENSITY_GRADIENT = 12;
export const BLOCK_DENSITY_COORDINATES = 16;
export const BLOCK_DENSITY_COUNT = 20;
/** 1: the block's gradient is wanted. */
export const BLOCK_DENSITY_WANTED = 24;
export const BLOCK_DENSITY_BYTES = 32;

/** A log density times β (kernels/bayes/block-density.ts). */
export const POWER_DENSITY_SLOT = 0;
export const POWER_DENSITY_MODEL = 4;
/** Numbers in its gradient; 0 where it writes none. */
export const POWER_DENSITY_COUNT = 8;
export const POWER_DENSITY_POWER_F64 = 16;
/** Out: the log density itself. */
export const POWER_DENSITY_LIKELIHOOD_F64 = 24;
export const POWER_DENSITY_BYTES = 32;

/** Integers that Gibbs sampling draws (kernels/bayes/gibbs-discrete.ts): the log density, u, its gradient. */
export const DISCRETE_SLOT = 0;
export const DISCRETE_MODEL = 4;
export const DISCRETE_POINT = 8;
export const DISCRETE_GRADIENT = 12;
/** Sites; by site u32 coordinate, u32 number of values (0: a slice), f64 bounds. */
export const DISCRETE_COUNT = 16;
export const DISCRETE_COORDINATES = 20;
export const DISCRETE_SUPPORT = 24;
export const DISCRETE_LOW = 28;
export const DISCRETE_HIGH = 32;
/** f64 by site: cells of the slice, the mean move. */
export const DISCRETE_WIDTH = 36;
export const DISCRETE_MOVES = 40;
/** f64[largest support]. */
export const DISCRETE_VALUES = 44;
export const DISCRETE_KEY_LOW = 48;
export const DISCRETE_KEY_HIGH = 52;
export const DISCRETE_BYTES = 56;

/** Particles of sequential Monte Carlo (kernels/bayes/particle-moves.ts). */
export const PARTICLES_SLOT = 0;
export const PARTICLES_MODEL = 4;
export const PARTICLES_DIMENSION = 8;
export const PARTICLES_COUNT = 12;
export const PARTICLES_X = 16;
export const PARTICLES_LOG_DENSITY = 20;
export const PARTICLES_LIKELIHOOD = 24;
/** Where an evaluation leaves the log likelihood. */
export const PARTICLES_LIKELIHOOD_AT = 28;
export const PARTICLES_FACTOR = 32;
export const PARTICLES_WORK = 36;
export const PARTICLES_MOVES = 40;
export const PARTICLES_LEAPFROGS = 44;
export const PARTICLES_KEY_LOW = 48;
export const PARTICLES_KEY_HIGH = 52;
export const PARTICLES_ACCEPTANCE = 56;
export const PARTICLES_STEP_F64 = 64;
export const PARTICLES_BYTES = 72;

/** Rows of tables, brought together (kernels/bayes/stochastic-gradient-rows.ts): u32[ROW_COUNT] rows, then by table source, row bytes (a multiple of 8), destination. */
export const GATHER_ROWS = 0;
export const GATHER_ROW_COUNT = 4;
export const GATHER_TABLE_COUNT = 8;
export const GATHER_TABLES = 16;
export const GATHER_TABLE_BYTES = 12;

/** A chain of stochastic-gradient Monte Carlo (kernels/bayes/stochastic-gradient.ts). The log density, or its estimate on a batch: slot and model. */
export const STOCHASTIC_SLOT = 0;
export const STOCHASTIC_MODEL = 4;
export const STOCHASTIC_DIMENSION = 8;
/** Rows of a batch, or 0: the log density is no estimate. The rows' address, and how they are gathered. */
export const STOCHASTIC_BATCH = 12;
export const STOCHASTIC_ROW_COUNT = 16;
export const STOCHASTIC_ROWS = 20;
export const STOCHASTIC_GATHER_SLOT = 24;
export const STOCHASTIC_GATHER_BLOCK = 28;
/** Control variates: f64[d] x*, or 0; f64[d] ∇ℓ(x*); room for f64[d]. */
export const STOCHASTIC_CENTRE = 32;
export const STOCHASTIC_CENTRE_GRADIENT = 36;
export const STOCHASTIC_CENTRE_ESTIMATE = 40;
/** x* becomes x before every so many updates, or 0: never. The log density on all rows: slot and model. */
export const STOCHASTIC_CENTRE_EVERY = 44;
export const STOCHASTIC_FULL_SLOT = 48;
export const STOCHASTIC_FULL_MODEL = 52;
/** f64[d]: x; v, or V of preconditioning; room for the gradient and for normals. */
export const STOCHASTIC_POSITION = 56;
export const STOCHASTIC_MOMENTUM = 60;
export const STOCHASTIC_GRADIENT = 64;
export const STOCHASTIC_NOISE = 68;
export const STOCHASTIC_NOISE_KEY_LOW = 72;
export const STOCHASTIC_NOISE_KEY_HIGH = 76;
export const STOCHASTIC_ROWS_KEY_LOW = 80;
export const STOCHASTIC_ROWS_KEY_HIGH = 84;
export const STOCHASTIC_KIND = 88;
/** v is drawn anew before every so many updates, or 0: never. */
export const STOCHASTIC_RESET_EVERY = 92;
/** a, or the weight of the past in V; b, or what is added to √V; α of the thermostat; ℓ(x*). */
export const STOCHASTIC_FRICTION_F64 = 96;
export const STOCHASTIC_NOISE_ESTIMATE_F64 = 104;
export const STOCHASTIC_THERMOSTAT_F64 = 112;
export const STOCHASTIC_CENTRE_VALUE_F64 = 120;
export const STOCHASTIC_BYTES = 128;
/** KIND. */
export const STOCHASTIC_LANGEVIN = 0;
export const STOCHASTIC_PRECONDITIONED = 1;
export const STOCHASTIC_HAMILTONIAN = 2;
export const STOCHASTIC_THERMOSTATTED = 3;
/** What is kept of a transition, f64 each: log density or its estimate at the last gradient, step size, thermostat. */
export const STOCHASTIC_TRANSITION_BYTES = 24;

/** A chain of Metropolis or slice sampling (kernels/bayes/random-walk.ts, metropolis-within-gibbs.ts, slice.ts, elliptical-slice.ts). */
export const WALK_SLOT = 0;
export const WALK_MODEL = 4;
export const WALK_DIMENSION = 8;
/** 1: FACTOR is f64[d, d], lower; else f64[d]. */
export const WALK_DENSE = 12;
/** f64[d]: of the Gaussian reference. */
export const WALK_MEAN = 16;
export const WALK_FACTOR = 20;
export const WALK_POSITION = 24;
/** Room for what evaluations write, f64[d]. */
export const WALK_GRADIENT = 28;
export const WALK_WORK = 32;
export const WALK_KEY_LOW = 36;
export const WALK_KEY_HIGH = 40;
/** f64[1] or f64[d]: steps or widths, and f64[…, 4] by step: target, m, log step, its average. */
export const WALK_STEPS = 44;
export const WALK_ADAPTATION = 48;
/** Random scan, or doubling. */
export const WALK_MODE = 52;
/** Of stepping out, in widths, or of doublings. */
export const WALK_LIMIT = 56;
export const WALK_LOG_DENSITY_F64 = 64;
export const WALK_BYTES = 72;
/** What is kept of a transition, f64 each: log density, acceptance, step, evaluations. */
export const WALK_TRANSITION_BYTES = 32;

/** A sweep over the states of a clique (kernels/graphs/clique.ts): each block of inner states is multiplied from tables and added to outputs. */
export const CLIQUE_AXES = 0;
/** u32[AXES]: states of the outer axes, the slowest first. */
export const CLIQUE_SHAPE = 4;
/** Inner states of a block, neighbours of each other. */
export const CLIQUE_INNER = 8;
export const CLIQUE_TABLE_COUNT = 12;
/** PATTERN blocks, one after another. */
export const CLIQUE_TABLES = 16;
export const CLIQUE_OUTPUT_COUNT = 20;
export const CLIQUE_OUTPUTS = 24;
/** f64[INNER + 1]. */
export const CLIQUE_PRODUCT = 28;
/** u32[AXES]. */
export const CLIQUE_DIGITS = 32;
/** A SUPPORT block, for kernels/graphs/clique-support.ts. */
export const CLIQUE_SUPPORT = 36;
/** Written by cliqueExtremes: the smallest positive entry (or finite logarithm). */
export const CLIQUE_LOW_F64 = 40;
export const CLIQUE_BYTES = 48;

/** Where the entries of a table are that belong to the states of a clique. */
export const PATTERN_VALUES = 0;
/** Inner states that follow each other and share an entry; INNER: all; 0: entry j belongs to state j. */
export const PATTERN_RUN = 4;
/** u32[INNER / RUN], in entries; unused where RUN is 0 or INNER. */
export const PATTERN_OFFSETS = 8;
/** u32[AXES]: distance in entries between neighbouring states of each outer axis. */
export const PATTERN_STRIDES = 12;
/** The entry of the first state of the block. */
export const PATTERN_BASE = 16;
/** Where the number of the block is that holds the entries, a node of a support; 0 for a table that has all its entries. */
export const PATTERN_NODE = 20;
/** Entries of such a block. */
export const PATTERN_BLOCK = 24;
export const PATTERN_BYTES = 32;

/** A walk over the outer states of a clique that are not zero for certain (kernels/graphs/clique-support.ts). */
/** u32[AXES + 1]: where the words of 32 states begin of each axis, in the two lists below. */
export const SUPPORT_STARTS = 0;
/** u32[…]: a bit for each state that is to be visited. */
export const SUPPORT_ALLOWED = 4;
/** u32[…]: states that are still to be visited. */
export const SUPPORT_REST = 8;
/** u32[AXES + 1]: the first link of each axis. */
export const SUPPORT_LINK_STARTS = 12;
export const SUPPORT_LINKS = 16;
/** u32[AXES + 1, tables and outputs]: entries by the states of the axes before. */
export const SUPPORT_BASES = 20;
/** i32: the axis that the walk is at; −1 behind the end. */
export const SUPPORT_AT = 24;
/** The first axis whose state is another than at the leaf before. */
export const SUPPORT_CHANGED = 28;
/** u32[KEPT]: levels of the support that is built. */
export const SUPPORT_LEVELS = 32;
/** Its axes. */
export const SUPPORT_KEPT = 36;
/** f64[AXES + 1]: different states of the first axes that leaves have; of the support that is built, nodes of each level. */
export const SUPPORT_COUNTS = 40;
/** Whether the walk has begun. */
export const SUPPORT_BEGUN = 44;
export const SUPPORT_LEAVES_F64 = 48;
export const SUPPORT_BYTES = 56;

/** An axis of a support: where its level is, and where the number of the node at this level and at the next one is. */
export const LINK_LEVEL = 0;
export const LINK_NODE = 4;
export const LINK_NEXT = 8;
export const LINK_BYTES = 12;

/** A chain over the states of a graph (kernels/graphs/graph-gibbs.ts). */
/** u32 by position: where its record begins, in bytes from RECORDS. */
export const GRAPH_BEGINS = 0;
export const GRAPH_RECORDS = 4;
/** u8 by position. */
export const GRAPH_STATES = 8;
/** i32 by counted factor: literals of its body that hold. */
export const GRAPH_COUNTS = 12;
/** COUNTED blocks, by counted factor. */
export const GRAPH_COUNTED = 16;
/** f64 by slot: probabilities of this batch of sweeps, summed. */
export const GRAPH_BATCH = 20;
/** u8 by position: 1 once its state has changed. */
export const GRAPH_CHANGED = 24;
/** f64[most states of a variable + 8]. */
export const GRAPH_WORK = 28;
export const GRAPH_KEY_LOW = 32;
export const GRAPH_KEY_HIGH = 36;
/** All terms are multiplied by it: 1, or another one for a search or in a ladder of powers. */
export const GRAPH_POWER_F64 = 40;
/** Positions below are drawn; of the others no probabilities are kept. */
export const GRAPH_DRAWN = 48;
/** BLOCKs, and f64s for the tables of one (kernels/graphs/graph-blocks.ts). */
export const GRAPH_BLOCKS = 52;
export const GRAPH_TABLES = 56;
/** ln of the product of all factors, when it was last asked for. */
export const GRAPH_VALUE_F64 = 64;
export const GRAPH_BYTES = 80;

/** A variable, what depends on it: then its unary terms f64[1 or states], its PAIRs, its other edges. */
export const RECORD_STATES = 0;
/** The first of its numbers among all variables' states; Booleans with finite terms alone have one, the others one a state. */
export const RECORD_SLOT = 4;
export const RECORD_PAIRS = 8;
/** Edges of other factors. */
export const RECORD_EDGES = 12;
export const RECORD_BYTES = 16;
/** A position, and where the terms by its state begin: one each of Booleans with finite terms alone, otherwise one a state of this variable. */
export const PAIR_POSITION = 0;
export const PAIR_TERMS = 4;
export const PAIR_BYTES = 8;
/** The number of other variables of a table, or COUNTED_EDGE + 2^30 at the head + the state of the literal; either + BLOCK_EDGE within a block. */
export const EDGE_KIND = 0;
/** Terms of a table, or the number of a counted factor. */
export const EDGE_TERMS = 4;
export const EDGE_BYTES = 8;
export const COUNTED_EDGE = 0x80000000;
export const HEAD_EDGE = 0x40000000;
export const BLOCK_EDGE = 0x20000000;
/** Of tables, then: the distance between this variable's states in bytes, 4 bytes of nothing, and by other variable its position and such a distance. */
export const EDGE_STRIDE = 8;
export const OTHER_FIRST = 16;
export const OTHER_BYTES = 8;
/** Terms f64[2][literals of the body + 1] of a counted factor, by whether its head holds. */
export const COUNTED_TERMS = 0;
/** Bytes of a row of them. */
export const COUNTED_ROW = 4;
/** Position and state of the head's literal. */
export const COUNTED_HEAD = 8;
export const COUNTED_STATE = 12;
export const COUNTED_BYTES = 16;

/** Variables that are drawn together: positions from the first one on, in the order of elimination; their BUCKETs, 0 of a single one. */
export const BLOCK_FIRST = 0;
export const BLOCK_SIZE = 4;
export const BLOCK_BUCKETS = 8;
export const BLOCK_BYTES = 12;
/** A table f64[states of the separator][states], and a message f64[states of the separator]: bytes from TABLES on. */
export const BUCKET_TABLE = 0;
export const BUCKET_MESSAGE = 4;
/** States of the separator, and its variables. */
export const BUCKET_STATES = 8;
export const BUCKET_SEPARATORS = 12;
export const BUCKET_TERMS = 16;
export const BUCKET_MESSAGES = 20;
/** Bytes of this bucket before its messages, and of the whole bucket before it. */
export const BUCKET_LENGTH = 24;
export const BUCKET_BEFORE = 28;
/** Then by separator, its position and the distance of its states in the table in bytes; TERMs; INBOX blocks. */
export const BUCKET_BYTES = 32;
export const SEPARATOR_BYTES = 8;
/**
 * A factor within a block: where its terms are, of counted ones its number; and by entry of the table the term's distance, u32. Then by other variable of a
 * table its position and distance; by literal of the block in a counted body its position and state.
 */
export const TERM_FROM = 0;
export const TERM_MAP = 4;
/** The number of those others, + COUNTED_EDGE, + HEAD_EDGE where the head is not in the block. */
export const TERM_KIND = 8;
export const TERM_BYTES = 12;
/** A message of another bucket, where in it each entry of the table is, and its length in bytes. */
export const INBOX_MESSAGE = 0;
export const INBOX_MAP = 4;
export const INBOX_LENGTH = 8;
export const INBOX_BYTES = 12;

/** 64 replicas of a graph of Booleans, a bit each (kernels/graphs/replica-gibbs.ts). RUN blocks, one after another, and how many. */
export const REPLICAS_RUNS = 0;
export const REPLICAS_RUN_COUNT = 4;
/** u64 by position. */
export const REPLICAS_STATES = 8;
/** u8[8] by position: ones of eight replicas each. */
export const REPLICAS_TALLY = 12;
/** 40 vectors of 16 bytes. */
export const REPLICAS_WORK = 16;
export const REPLICAS_KEY_LOW = 20;
export const REPLICAS_KEY_HIGH = 24;
export const REPLICAS_WORK_BYTES = 640;
export const REPLICAS_BYTES = 32;
/** Positions of a kind, from one even number to another; and their edges: by two positions and edge, two u32: where the neighbours' words are, from STATES. */
export const RUN_FROM = 0;
export const RUN_TO = 4;
/** The first of the two is + 1 where the first variable's edge asks for state 0, + 2 where the second one's does. */
export const RUN_EDGES = 8;
export const RUN_KIND = 12;
export const RUN_BYTES = 16;
/** Conditional probabilities that variables share: edges, and levels, the product of the groups' sizes + 1. */
export const KIND_EDGES = 0;
export const KIND_LEVELS = 4;
export const KIND_GROUPS = 8;
/** u8[4]: edges of each group. Then thresholds: by bit from the top and level, 16 bytes of 0 or −1. */
export const KIND_SIZES = 12;
export const KIND_BYTES = 16;

/** A factor whose weight is learnt (kernels/graphs/graph-learning.ts), then its members. Its values: f64, of the shape. */
export const LEARNT_VALUES = 0;
export const LEARNT_WEIGHT = 4;
export const LEARNT_FEATURE_F64 = 8;
export const LEARNT_MEMBERS = 16;
/** Of counted factors their number + 1; else 0. */
export const LEARNT_COUNTED = 20;
export const LEARNT_BYTES = 24;
export const MEMBER_POSITION = 0;
/** Between values of neighbouring states, in bytes; unused where counted. */
export const MEMBER_STRIDE = 4;
/** How many states it has; where counted, the state of its literal. */
export const MEMBER_STATES = 8;
/** Its first slot, + 2^31 of a Boolean with finite terms. */
export const MEMBER_SLOT = 12;
export const MEMBER_BYTES = 16;

/** A Hessian over rows (kernels/learning/hessian.ts). Y, WEIGHTS, OFFSETS: of the first row; AT: where the program's block has their addresses, and the loss. OFFSETS 0: there are none. */
export const HESSIAN_VALUES = 0;
export const HESSIAN_ROW_BYTES = 4;
export const HESSIAN_ROW_START = 8;
export const HESSIAN_COLUMN_INDEX = 12;
/** Whether D and H have a place for each row, or for those of a chunk. */
export const HESSIAN_KEPT = 16;
export const HESSIAN_COLUMNS = 20;
export const HESSIAN_WIDTH = 24;
export const HESSIAN_PARAMETERS = 28;
export const HESSIAN_MATRIX = 32;
export const HESSIAN_PANELS = 36;
export const HESSIAN_UPDATE = 40;
export const HESSIAN_BLOCK = 44;
export const HESSIAN_Z = 48;
export const HESSIAN_H = 52;
export const HESSIAN_Y = 56;
export const HESSIAN_AT_Y = 60;
export const HESSIAN_WEIGHTS = 64;
export const HESSIAN_AT_WEIGHT = 68;
export const HESSIAN_OFFSETS = 72;
export const HESSIAN_AT_OFFSET = 76;
export const HESSIAN_D = 80;
export const HESSIAN_GRADIENT = 84;
export const HESSIAN_AT_LOSS = 88;
export const HESSIAN_AT_D = 92;
export const HESSIAN_SCALE_F64 = 96;
/** Of a row's weight: what its curvature is at least. */
export const HESSIAN_LEAST_F64 = 104;
export const HESSIAN_AT_H = 112;
export const HESSIAN_BYTES = 120;
/** Rows at a time. */
export const HESSIAN_CHUNK = 64;
/** What a call makes. */
export const HESSIAN_ALL = 0;
export const HESSIAN_LOSS = 1;
export const HESSIAN_REST = 2;
